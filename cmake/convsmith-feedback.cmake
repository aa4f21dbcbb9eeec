# SPDX-License-Identifier: Apache-2.0
#
# cmake -DBUILD=<folder> -DTARGET=<target> -P convsmith-feedback.cmake
#
# Compiles the CUDA kernels of a table, tells the generator what ptxas says of them, and begins anew as long as some
# have spills, a stack or too much shared memory and are therefore planned smaller. <folder> is a build that is
# configured, <target> the name given to convsmith_add_kernels, or convsmith_static for the library's own table. Each
# round goes a step up the ladder of a strategy (gen/feedback.lua); all ladders that a kernel can go up, one behind the
# other, have fewer steps than there are rounds.
set(rounds 16)

foreach(name BUILD TARGET)
    if("${${name}}" STREQUAL "")
        message(FATAL_ERROR "-D${name}=... is missing: cmake -DBUILD=<folder> -DTARGET=<target> -P <this file>")
    endif()
endforeach()
cmake_path(ABSOLUTE_PATH BUILD)
set(description ${BUILD}/convsmith/${TARGET}.feedback.cmake)
if(NOT EXISTS ${description})
    message(FATAL_ERROR "${BUILD} is no configured build with CUDA kernels of a target ${TARGET}: there is no "
                        "${description}")
endif()
include(${description}) # sets report, the file of what ptxas says, and generate, the generator's command

foreach(round RANGE 1 ${rounds})
    execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target ${TARGET}_ptxas RESULT_VARIABLE status)
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "building ${TARGET}_ptxas failed: ${status}")
    endif()
    execute_process(
        COMMAND ${generate} --feedback ${report} RESULT_VARIABLE status OUTPUT_VARIABLE said
        OUTPUT_STRIP_TRAILING_WHITESPACE
    )
    message(STATUS "round ${round}: ${said}")
    if(NOT status EQUAL 0)
        message(FATAL_ERROR "the generator failed: ${status}")
    endif()
    if(said MATCHES "^0 kernel")
        return()
    endif()
endforeach()
message(FATAL_ERROR "after ${rounds} rounds there still are kernels that ptxas finds no room for")
