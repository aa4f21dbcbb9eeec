# SPDX-License-Identifier: Apache-2.0
#
# What is installed: the two libraries, the header, the program, and all that convsmith_add_kernels needs in a project
# elsewhere: the generator, its Lua, the templates, and the sources that kernels are compiled with.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/convsmith)
set(home_dir ${CMAKE_INSTALL_DATADIR}/convsmith)

install(TARGETS convsmith EXPORT convsmith-targets)
install(TARGETS convsmith-gen EXPORT convsmith-targets)
install(TARGETS convsmith_static EXPORT convsmith-static-targets)
install(EXPORT convsmith-targets NAMESPACE convsmith:: DESTINATION ${package_dir})
install(EXPORT convsmith-static-targets NAMESPACE convsmith:: DESTINATION ${package_dir})
if(TARGET convsmith_program)
    install(TARGETS convsmith_program)
endif()
install(DIRECTORY include/convsmith DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})

install(DIRECTORY gen templates DESTINATION ${home_dir} FILES_MATCHING PATTERN "*.lua")
install(FILES generated/resources.lua DESTINATION ${home_dir}/generated OPTIONAL)
install(DIRECTORY src/device DESTINATION ${home_dir}/src)
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
)

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
install(FILES ${PROJECT_BINARY_DIR}/convsmith.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
