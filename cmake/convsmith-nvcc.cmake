# SPDX-License-Identifier: Apache-2.0
#
# cmake -DREPORT=<file> -P convsmith-nvcc.cmake -- <nvcc> <argument>...
#
# Runs nvcc, with ptxas telling of every kernel what it takes: registers, stack, spills, shared memory. All that is said
# goes to the file; those figures go nowhere else.
set(command "")
set(begun FALSE)
math(EXPR last "${CMAKE_ARGC} - 1")
foreach(i RANGE ${last})
    if(begun)
        string(REPLACE ";" "\\;" argument "${CMAKE_ARGV${i}}")
        list(APPEND command "${argument}")
    elseif(CMAKE_ARGV${i} STREQUAL "--")
        set(begun TRUE)
    endif()
endforeach()

execute_process(COMMAND ${command} -Xptxas=-v RESULT_VARIABLE status ERROR_VARIABLE said)
file(WRITE ${REPORT} "${said}")

# What ptxas remarks on its own begins with a number, such as (C7510).
string(REGEX REPLACE "ptxas info +: [^(\n][^\n]*\n" "" rest "${said}")
string(REGEX REPLACE "    [0-9]+ bytes stack frame, [^\n]*\n" "" rest "${rest}")
string(REGEX REPLACE "\n$" "" rest "${rest}")
if(NOT rest STREQUAL "")
    message("${rest}")
endif()
if(NOT status EQUAL 0)
    file(REMOVE ${REPORT})
    message(FATAL_ERROR "nvcc failed: ${status}")
endif()
