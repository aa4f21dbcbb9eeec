# SPDX-License-Identifier: Apache-2.0
#
# nvcc: finding it, and compiling kernels with it.
#
# nvcc is run by custom commands in place of CMake's CUDA language, since a language belongs to the directories that
# enabled it: every C project that links a static library with CUDA objects in it would have to enable it too.

# _convsmith_check_archs(<option> <archs>)
#
# Refuses what is no compute capability, and those that the kernels do not run on. <option> names who gave them.
function(_convsmith_check_archs option archs)
    if(archs STREQUAL "")
        message(FATAL_ERROR "${option} is empty; name compute capabilities, such as 89 or 90a")
    endif()
    foreach(arch IN LISTS archs)
        if(NOT arch MATCHES "^[1-9][0-9]+[af]?$")
            message(
                FATAL_ERROR
                "${option}: \"${arch}\" is no compute capability; write digits without a point, then perhaps a or f, "
                "such as 89 or 90a"
            )
        endif()
        string(REGEX MATCH "^[0-9]+" number ${arch})
        if(number LESS 80)
            message(
                FATAL_ERROR
                "${option}: the kernels use cp.async and need compute capability 80 or newer, such as 89 or 90a, "
                "not ${arch}"
            )
        endif()
    endforeach()
endfunction()

# _convsmith_find_cuda(<AUTO|ON|OFF> <archs> <result> [<option>])
#
# Sets <result> to whether CUDA kernels can be compiled here for these compute capabilities, and says why not. With ON
# that is an error. When they can, CUDAToolkit's targets exist. <option> is given when it is no default that the compute
# capabilities were taken from, but that option: one that nvcc does not know is an error, then.
function(_convsmith_find_cuda wanted archs result)
    set(${result} FALSE PARENT_SCOPE)
    if(wanted STREQUAL "AUTO" OR wanted)
        find_package(CUDAToolkit QUIET GLOBAL)
        if(ARGN AND CUDAToolkit_NVCC_EXECUTABLE)
            _convsmith_refuse_unknown_archs("${ARGN}" "${archs}")
        endif()
        _convsmith_nvcc_problem("${archs}" problem)
    else()
        set(problem "CUDA is switched off (CONVSMITH_CUDA=${wanted})")
    endif()
    if(NOT problem)
        list(JOIN archs ", " names)
        message(STATUS "CUDA kernels: compiled by nvcc ${CUDAToolkit_VERSION} for compute capability ${names}")
        set(${result} TRUE PARENT_SCOPE)
    elseif(wanted STREQUAL "AUTO" AND CUDAToolkit_NVCC_EXECUTABLE)
        message(WARNING "CPU-only build: ${problem}")
    elseif(wanted STREQUAL "AUTO" OR NOT wanted)
        message(STATUS "CPU-only build: ${problem}")
    else()
        message(FATAL_ERROR "CUDA kernels were asked for (CONVSMITH_CUDA=${wanted}), but ${problem}")
    endif()
endfunction()

# Refuses what this nvcc does not compile for. (What it lists lacks some of the letters, so that each has to be tried.)
function(_convsmith_refuse_unknown_archs option archs)
    foreach(arch IN LISTS archs)
        execute_process(
            COMMAND
                ${CUDAToolkit_NVCC_EXECUTABLE} --dryrun -gencode=arch=compute_${arch},code=sm_${arch} -c
                ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/probe.cu
            OUTPUT_VARIABLE output
            ERROR_VARIABLE output
        )
        if(output MATCHES "nvcc fatal[^\n]*compute_${arch}'")
            execute_process(COMMAND ${CUDAToolkit_NVCC_EXECUTABLE} --list-gpu-code OUTPUT_VARIABLE known ERROR_QUIET)
            string(REGEX MATCHALL "([89]|[1-9][0-9])[0-9]" known "${known}")
            list(JOIN known ", " known)
            message(
                FATAL_ERROR
                "${option}: ${CUDAToolkit_NVCC_EXECUTABLE} ${CUDAToolkit_VERSION} does not compile for compute capability "
                "${arch}, but for ${known}; some take a letter, such as 90a"
            )
        endif()
    endforeach()
endfunction()

# Sets <problem> to why nvcc cannot be used, or to nothing.
function(_convsmith_nvcc_problem archs problem)
    set(${problem} "" PARENT_SCOPE)
    if(NOT CUDAToolkit_NVCC_EXECUTABLE)
        set(${problem} "nvcc was not found" PARENT_SCOPE)
        return()
    endif()
    if(NOT TARGET CUDA::cudart_static)
        set(${problem} "${CUDAToolkit_NVCC_EXECUTABLE} comes without libcudart_static.a" PARENT_SCOPE)
        return()
    endif()
    _convsmith_nvcc_flags("${archs}" flags)
    set(probe ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/convsmith-nvcc-probe)
    set(command ${CUDAToolkit_NVCC_EXECUTABLE} ${flags} -c ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/probe.cu -o ${probe}.o)
    if(NOT command STREQUAL "${CONVSMITH_NVCC_PROBE}")
        execute_process(COMMAND ${command} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
        if(NOT status EQUAL 0)
            set(${problem} "${CUDAToolkit_NVCC_EXECUTABLE} cannot compile here:\n${output}" PARENT_SCOPE)
            return()
        endif()
        set(CONVSMITH_NVCC_PROBE "${command}" CACHE INTERNAL "The last command that nvcc was seen to carry out")
    endif()
endfunction()

# Sets <flags> to nvcc's options for machine code of these compute capabilities and nothing else.
function(_convsmith_nvcc_flags archs flags)
    set(list -std=c++17 -O3 -x cu -DCONVSMITH_WITH_CUDA -Xcompiler=-fPIC,-fvisibility=hidden,-Wall,-Wextra)
    # The objects are linked by C projects, without the C++ library. (The guarded statics are in stubs nobody calls.)
    list(APPEND list -Xcompiler=-fno-exceptions,-fno-threadsafe-statics)
    foreach(arch IN LISTS archs)
        list(APPEND list -gencode=arch=compute_${arch},code=sm_${arch})
    endforeach()
    if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8)
        list(APPEND list --compress-mode=size)
    else()
        list(APPEND list -Xfatbin=-compress-all)
    endif()
    if(CONVSMITH_WERROR)
        list(APPEND list -Werror=all-warnings -Xcompiler=-Werror)
    endif()
    set(${flags} ${list} PARENT_SCOPE)
endfunction()

# _convsmith_nvcc_objects(<objects> <archs> <include directories> <directory> <source>...)
#
# Sets <objects> to the object files that the sources are compiled to, in <directory>. Beside each, as <object>.ptxas,
# is what ptxas says of its kernels.
function(_convsmith_nvcc_objects objects archs includes directory)
    _convsmith_nvcc_flags("${archs}" flags)
    set(script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/convsmith-nvcc.cmake)
    list(TRANSFORM includes PREPEND -I)
    file(MAKE_DIRECTORY ${directory})
    set(list "")
    foreach(source IN LISTS ARGN)
        cmake_path(GET source FILENAME name)
        set(object ${directory}/${name}.o)
        # nvcc writes the target into the depfile as it is given, and the build reads that as make would.
        string(REGEX REPLACE "([ #])" "\\\\\\1" escaped ${object})
        add_custom_command(
            OUTPUT ${object}
            BYPRODUCTS ${object}.ptxas
            COMMAND
                ${CMAKE_COMMAND} -DREPORT=${object}.ptxas -P ${script} -- ${CUDAToolkit_NVCC_EXECUTABLE} ${flags}
                ${includes} -MD -MT ${escaped} -MF ${object}.d -c ${source} -o ${object}
            DEPENDS ${source} ${script}
            DEPFILE ${object}.d
            COMMENT "Compiling CUDA object ${name}.o"
            VERBATIM
        )
        list(APPEND list ${object})
    endforeach()
    set(${objects} ${list} PARENT_SCOPE)
endfunction()
