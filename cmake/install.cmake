# SPDX-License-Identifier: Apache-2.0
#
# What is installed: the two libraries, the headers, the programs with their man pages and completions, and all that
# convsmith_add_kernels needs in a project elsewhere: the generator, its Lua, the templates, and the sources that
# kernels are compiled with; and what `convsmith report` shows. The components are the packages of package.cmake: runtime, development and programs.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/convsmith)
set(home_dir ${CMAKE_INSTALL_DATADIR}/convsmith)

install(
    TARGETS convsmith EXPORT convsmith-targets
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development
)
install(TARGETS convsmith-gen EXPORT convsmith-targets COMPONENT programs)
install(TARGETS convsmith_static EXPORT convsmith-static-targets COMPONENT development)
foreach(export convsmith-targets convsmith-static-targets)
    install(EXPORT ${export} NAMESPACE convsmith:: DESTINATION ${package_dir} COMPONENT development)
endforeach()
if(TARGET convsmith_program)
    install(TARGETS convsmith_program COMPONENT programs)
endif()
set(programs convsmith-gen)
if(TARGET convsmith_program)
    list(APPEND programs convsmith)
endif()
foreach(program IN LISTS programs)
    install(
        FILES ${PROJECT_BINARY_DIR}/usage/${program}.1
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
        COMPONENT programs
    )
    install(
        FILES ${PROJECT_BINARY_DIR}/usage/${program}.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
        COMPONENT programs
        RENAME ${program}
    )
endforeach()
install(
    DIRECTORY include/convsmith
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT development
    FILES_MATCHING
    PATTERN "*.h"
    PATTERN "LICENSE.*"
)

install(DIRECTORY gen templates DESTINATION ${home_dir} COMPONENT programs FILES_MATCHING PATTERN "*.lua")
install(FILES generated/resources.lua DESTINATION ${home_dir}/generated COMPONENT programs OPTIONAL)
install(DIRECTORY report DESTINATION ${home_dir} COMPONENT programs)
install(FILES shapes.lua DESTINATION ${home_dir} COMPONENT programs)
install(DIRECTORY generated/kernels DESTINATION ${home_dir}/generated COMPONENT programs)
file(GLOB results CONFIGURE_DEPENDS bench/results/*-table.json bench/results/*-sweep.json)
install(FILES ${results} DESTINATION ${home_dir}/bench/results COMPONENT programs)
file(GLOB records CONFIGURE_DEPENDS tuning/*.lua)
install(FILES ${records} DESTINATION ${home_dir}/tuning COMPONENT programs)
install(DIRECTORY src/device DESTINATION ${home_dir}/src COMPONENT development)
install(
    FILES
        src/cost.h
        src/kernel.h
        src/table.c
        src/tuned.h
        src/cuda_launch.h
        src/cuda_launch.c
        src/cuda_tensor.c
    DESTINATION ${home_dir}/src
    COMPONENT development
)
install(
    FILES
        cmake/convsmith-cuda.cmake
        cmake/convsmith-feedback.cmake
        cmake/convsmith-kernels.cmake
        cmake/convsmith-nvcc.cmake
        cmake/probe.cu
        cmake/table.h.in
    DESTINATION ${home_dir}/cmake
    COMPONENT development
)
install(
    FILES
        examples/first.c
        examples/graph.c
        examples/spread.c
        examples/views.c
    DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples
    COMPONENT development
)
install(DIRECTORY examples/downstream DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT development)

configure_package_config_file(
    cmake/convsmith-config.cmake.in convsmith-config.cmake
    INSTALL_DESTINATION ${package_dir}
    PATH_VARS home_dir
)
# Before 1.0 a minor version may break what was.
write_basic_package_version_file(convsmith-config-version.cmake COMPATIBILITY SameMinorVersion)
install(
    FILES
        ${PROJECT_BINARY_DIR}/convsmith-config.cmake
        ${PROJECT_BINARY_DIR}/convsmith-config-version.cmake
    DESTINATION ${package_dir}
    COMPONENT development
)

# pkg-config: what a static link needs besides is listed as private.
set(pc_libs_private -lm)
if(OpenMP_C_FOUND)
    list(APPEND pc_libs_private ${OpenMP_C_FLAGS})
endif()
if(CONVSMITH_WITH_CUDA)
    get_target_property(cudart CUDA::cudart_static IMPORTED_LOCATION)
    list(APPEND pc_libs_private ${cudart} -lpthread -ldl -lrt)
endif()
list(JOIN pc_libs_private " " pc_libs_private)
file(RELATIVE_PATH pc_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/convsmith.pc.in convsmith.pc @ONLY)
install(
    FILES ${PROJECT_BINARY_DIR}/convsmith.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT development
)
