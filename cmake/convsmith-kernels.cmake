# SPDX-License-Identifier: Apache-2.0
#
# convsmith_add_kernels(<target> MANIFEST <file> [ARCHS <arch>...] [SHARDS <n>] [STATIC])
#
# Generates kernels for the shapes of a manifest, at build time, and compiles them into the static library <target>
# with a table of its own. <target> must be a C identifier. What links <target> includes "<target>.h" and sets
#
#     problem.table = &<target>_table;
#
# The generic kernels, for any other shape, are the library's.
#
# ARCHS   compute capabilities for the CUDA kernels, 80 or newer, e.g. 89 90a; the default is those of convsmith's own.
#         CUDA kernels are compiled when convsmith itself has them and nvcc is found; one that this nvcc does not know
#         is an error.
# SHARDS  number of compile units for each strategy, more of them for a large manifest; the default is 1.
# STATIC  link convsmith::convsmith_static in place of convsmith::convsmith.
function(convsmith_add_kernels target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "STATIC" "MANIFEST;SHARDS" "ARCHS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "convsmith_add_kernels(${target}): unknown argument ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_MANIFEST)
        message(FATAL_ERROR "convsmith_add_kernels(${target}): MANIFEST <file> is missing")
    endif()
    if(NOT target MATCHES "^[A-Za-z_][A-Za-z0-9_]*$")
        message(FATAL_ERROR "convsmith_add_kernels(${target}): the name must be a C identifier")
    endif()
    if(target STREQUAL "convsmith")
        message(FATAL_ERROR "convsmith_add_kernels(convsmith): this name is the library's own")
    endif()
    if(NOT DEFINED arg_SHARDS)
        set(arg_SHARDS 1)
    elseif(NOT arg_SHARDS MATCHES "^([1-9][0-9]?|100)$")
        message(FATAL_ERROR "convsmith_add_kernels(${target}): SHARDS is a number from 1 to 100, not ${arg_SHARDS}")
    endif()
    set(option "")
    if(DEFINED arg_ARCHS)
        set(option "convsmith_add_kernels(${target}): ARCHS")
        _convsmith_check_archs("${option}" "${arg_ARCHS}")
    else()
        get_target_property(arg_ARCHS convsmith::convsmith CONVSMITH_CUDA_ARCHS)
    endif()
    get_target_property(with_cuda convsmith::convsmith CONVSMITH_WITH_CUDA)
    if(with_cuda)
        _convsmith_find_cuda(AUTO "${arg_ARCHS}" with_cuda "${option}")
    else()
        message(STATUS "${target} has CPU kernels only, as the convsmith that was found")
    endif()

    set(directory ${CMAKE_CURRENT_BINARY_DIR}/${target}.convsmith)
    _convsmith_generate(
        ${target}_generated
        MANIFEST ${arg_MANIFEST}
        OUTPUT_DIRECTORY ${directory}/generated
        SHARDS ${arg_SHARDS}
        PREFIX ${target}
    )
    add_library(${target} STATIC)
    _convsmith_add_table(${target} ${target}_generated ${with_cuda} "${arg_ARCHS}" ${target}_table)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)

    cmake_path(GET arg_MANIFEST FILENAME manifest_name)
    string(TOUPPER ${target}_H guard)
    configure_file(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/table.h.in ${directory}/include/${target}.h @ONLY)
    target_include_directories(${target} PUBLIC ${directory}/include)
    if(arg_STATIC)
        target_link_libraries(${target} PUBLIC convsmith::convsmith_static)
    else()
        target_link_libraries(${target} PUBLIC convsmith::convsmith)
    endif()
endfunction()

# Sets <home> to where the Lua of the generator, the templates and the kernels' sources are: beside this folder, in the
# source tree as in an installed one.
function(_convsmith_home home)
    cmake_path(GET CMAKE_CURRENT_FUNCTION_LIST_DIR PARENT_PATH directory)
    set(${home} ${directory} PARENT_SCOPE)
endfunction()

# _convsmith_generate(<target> MANIFEST <file> OUTPUT_DIRECTORY <dir> SHARDS <n> [PREFIX <prefix>]
#                     [FILTER <glob>])
#
# Adds a target that generates the kernels of a manifest, or those whose names match. Its properties
# CONVSMITH_OUTPUT_DIRECTORY, CONVSMITH_CUDA_SHARDS and CONVSMITH_HOST_SHARDS say what it generates,
# CONVSMITH_GENERATE_ARGUMENTS how.
function(_convsmith_generate target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MANIFEST;OUTPUT_DIRECTORY;SHARDS;PREFIX;FILTER" "")
    _convsmith_home(home)
    cmake_path(ABSOLUTE_PATH arg_MANIFEST BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    file(GLOB templates CONFIGURE_DEPENDS ${home}/templates/*.cu.lua)
    set(cuda_strategies "")
    foreach(template IN LISTS templates)
        cmake_path(GET template STEM strategy)
        list(APPEND cuda_strategies ${strategy})
    endforeach()
    _convsmith_shard_files(cuda_shards ${arg_OUTPUT_DIRECTORY} ${arg_SHARDS} cu ${cuda_strategies})
    _convsmith_shard_files(host_shards ${arg_OUTPUT_DIRECTORY} ${arg_SHARDS} c host_avx512 host_avx2 host_base)
    set(prefix "")
    if(arg_PREFIX)
        set(prefix --prefix ${arg_PREFIX})
    endif()
    set(filter "")
    if(arg_FILTER)
        set(filter --filter ${arg_FILTER})
    endif()

    # The files are rewritten only when their bytes change, and what includes them is compiled again only then. Since
    # they stay older than a manifest that was touched without a change, Ninja looks at their times again once the
    # command is done (restat); make does not, and generates, but does not compile, with every build until they change.
    set(outputs kernels.inc rates.inc tunings.inc)
    list(TRANSFORM outputs PREPEND ${arg_OUTPUT_DIRECTORY}/)
    list(APPEND outputs ${cuda_shards} ${host_shards})
    set(depfile ${CMAKE_CURRENT_BINARY_DIR}/${target}.d)
    set(arguments
        --home ${home} --manifest ${arg_MANIFEST} --out ${arg_OUTPUT_DIRECTORY} --shards ${arg_SHARDS} ${prefix}
        ${filter}
    )
    add_custom_command(
        OUTPUT ${outputs}
        COMMAND convsmith::convsmith-gen ${arguments} --depfile ${depfile}
        DEPENDS convsmith::convsmith-gen ${arg_MANIFEST}
        DEPFILE ${depfile}
        COMMENT "Generating the kernels of ${arg_MANIFEST}"
        VERBATIM
    )
    add_custom_target(${target} DEPENDS ${outputs})
    set_target_properties(
        ${target}
        PROPERTIES
            CONVSMITH_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY}
            CONVSMITH_CUDA_SHARDS "${cuda_shards}"
            CONVSMITH_HOST_SHARDS "${host_shards}"
            CONVSMITH_GENERATE_ARGUMENTS "${arguments}"
    )
endfunction()

# Sets <files> to the compile units of some strategies. How many there are does not depend on the manifest, so that a
# shape is added without configuring again.
function(_convsmith_shard_files files directory count extension)
    math(EXPR last "${count} - 1")
    set(list "")
    foreach(strategy IN LISTS ARGN)
        foreach(index RANGE ${last})
            if(index LESS 10)
                string(PREPEND index "0")
            endif()
            list(APPEND list ${directory}/shard_${strategy}_${index}.${extension})
        endforeach()
    endforeach()
    set(${files} ${list} PARENT_SCOPE)
endfunction()

# _convsmith_add_table(<target> <generated> <with CUDA> <archs> [<symbol>])
#
# Compiles what the target <generated> generates, and the table of it, into <target>, which must have the public header
# on its include path. <symbol> names the table. With CUDA it must be called in the directory of both targets, and the
# property CONVSMITH_PTXAS_REPORTS then names the files with what ptxas says of the kernels.
function(_convsmith_add_table target generated with_cuda archs)
    _convsmith_home(home)
    get_target_property(directory ${generated} CONVSMITH_OUTPUT_DIRECTORY)
    get_target_property(cuda_shards ${generated} CONVSMITH_CUDA_SHARDS)
    set(includes ${directory} ${home}/src)
    add_dependencies(${target} ${generated})

    _convsmith_host_objects(${generated} "${includes}")
    target_sources(${target} PRIVATE ${home}/src/table.c $<TARGET_OBJECTS:${generated}_host>)
    target_include_directories(${target} PRIVATE ${includes})
    set_target_properties(${target} PROPERTIES C_STANDARD 17 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
    if(ARGN)
        target_compile_definitions(${target} PRIVATE CS_TABLE_NAME=${ARGN})
    endif()

    if(with_cuda)
        _convsmith_nvcc_objects(
            objects "${archs}" "${includes}" ${CMAKE_CURRENT_BINARY_DIR}/${target}.cuda ${cuda_shards}
        )
        target_sources(${target} PRIVATE ${home}/src/cuda_launch.c ${home}/src/cuda_tensor.c ${objects})
        list(TRANSFORM objects APPEND .ptxas OUTPUT_VARIABLE reports)
        set_target_properties(${target} PROPERTIES CONVSMITH_PTXAS_REPORTS "${reports}")
        _convsmith_add_feedback(${target} ${generated} "${objects}" "${reports}")
        target_compile_definitions(${target} PRIVATE CONVSMITH_WITH_CUDA)
        if("90a" IN_LIST archs)
            target_compile_definitions(${target} PRIVATE CONVSMITH_WITH_SM90A)
        endif()
        target_link_libraries(${target} PRIVATE CUDA::cudart_static)
    endif()
endfunction()

# Adds the target <target>_ptxas, which gathers what ptxas says of a table's kernels, and describes it to
# convsmith-feedback.cmake.
function(_convsmith_add_feedback target generated objects reports)
    set(report ${CMAKE_CURRENT_BINARY_DIR}/${target}.ptxas)
    add_custom_command(
        OUTPUT ${report}
        COMMAND ${CMAKE_COMMAND} -E cat ${reports} > ${report}
        DEPENDS ${objects}
        COMMENT "Gathering what ptxas says of ${target}"
        VERBATIM
    )
    add_custom_target(${target}_ptxas DEPENDS ${report})
    add_dependencies(${target}_ptxas ${generated})
    get_target_property(arguments ${generated} CONVSMITH_GENERATE_ARGUMENTS)
    file(
        GENERATE
        OUTPUT ${CMAKE_BINARY_DIR}/convsmith/${target}.feedback.cmake
        CONTENT "set(report \"${report}\")\nset(generate \"$<TARGET_FILE:convsmith::convsmith-gen>;${arguments}\")\n"
    )
endfunction()

# Adds, once, the object library <generated>_host of the CPU kernels that the target <generated> generates.
function(_convsmith_host_objects generated includes)
    if(TARGET ${generated}_host)
        return()
    endif()
    get_target_property(host_shards ${generated} CONVSMITH_HOST_SHARDS)
    add_library(${generated}_host OBJECT ${host_shards})
    add_dependencies(${generated}_host ${generated})
    target_include_directories(${generated}_host PRIVATE ${includes})
    set_target_properties(
        ${generated}_host
        PROPERTIES
            C_STANDARD 17
            C_STANDARD_REQUIRED ON
            C_EXTENSIONS OFF
            C_VISIBILITY_PRESET hidden
            POSITION_INDEPENDENT_CODE ON
    )
    foreach(shard IN LISTS host_shards)
        string(REGEX REPLACE "^.*/shard_(.*)_[0-9]+\\.c$" "\\1" strategy ${shard})
        _convsmith_host_flags(${strategy} flags)
        set_source_files_properties(${shard} PROPERTIES COMPILE_OPTIONS "${flags}")
    endforeach()
endfunction()

# Sets <flags> to what CPU kernels of a strategy are compiled with. The instruction sets that a target may use are those
# that src/target.c asks the CPU for; elsewhere than on x86 its code is compiled, too, but never chosen.
function(_convsmith_host_flags strategy flags)
    set(flags_host_avx512 -mavx512f -mavx512dq -mavx512vl -mavx2 -mfma)
    set(flags_host_avx2 -mavx2 -mfma)
    set(flags_host_base "")

    # Without -O3 the kernels would be useless in a project that sets no build type.
    set(list -fno-math-errno -ffp-contract=fast $<$<NOT:$<CONFIG:Debug>>:-O3>)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
        list(APPEND list ${flags_${strategy}})
    else()
        list(APPEND list -Wno-psabi)
    endif()
    set(${flags} "${list}" PARENT_SCOPE)
endfunction()
