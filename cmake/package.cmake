# SPDX-License-Identifier: Apache-2.0
#
# What CPack makes of the installed tree: a tarball of all of it and, where there is dpkg, Debian packages, one a
# component. Configured with the prefix /usr, as `./dev package` does, libraries lie where Debian has them.
set(CONVSMITH_PACKAGE_CONTACT "convsmith maintainers <convsmith@localhost>" CACHE STRING "Maintainer of the packages")

set(CPACK_PACKAGE_NAME convsmith)
set(CPACK_PACKAGE_VENDOR convsmith)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each Debian package has its own
set(CPACK_PACKAGE_CONTACT ${CONVSMITH_PACKAGE_CONTACT})
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
string(TOLOWER ${CMAKE_SYSTEM_NAME} system)
set(CPACK_PACKAGE_FILE_NAME convsmith-${PROJECT_VERSION}-${system}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)

find_program(CONVSMITH_DPKG_DEB dpkg-deb)
find_program(CONVSMITH_DPKG_SHLIBDEPS dpkg-shlibdeps)
mark_as_advanced(CONVSMITH_DPKG_DEB CONVSMITH_DPKG_SHLIBDEPS)
set(CONVSMITH_PACKAGES TGZ)
if(CONVSMITH_DPKG_DEB AND CONVSMITH_DPKG_SHLIBDEPS)
    list(APPEND CONVSMITH_PACKAGES DEB)
endif()
set(CPACK_GENERATOR ${CONVSMITH_PACKAGES})

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# _convsmith_package(<component> <package> SECTION <section> SUMMARY <line> TEXT <paragraph>
#                    [DEPENDS <packages>] [SHLIBDEPS])
#
# SHLIBDEPS: it has programs or shared libraries, and depends on what they link.
macro(_convsmith_package component package)
    cmake_parse_arguments(arg "SHLIBDEPS" "SECTION;SUMMARY;TEXT;DEPENDS" "" ${ARGN})
    string(TOUPPER ${component} COMPONENT)
    set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME ${package})
    set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_SECTION ${arg_SECTION})
    set(CPACK_DEBIAN_${COMPONENT}_DESCRIPTION "${arg_SUMMARY}\n${arg_TEXT}")
    set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_DEPENDS "${arg_DEPENDS}")
    set(CPACK_DEBIAN_${COMPONENT}_PACKAGE_SHLIBDEPS ${arg_SHLIBDEPS})
    list(APPEND CPACK_COMPONENTS_ALL ${component})
    install(
        FILES ${PROJECT_SOURCE_DIR}/LICENSE
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package}
        COMPONENT ${component}
        RENAME copyright
    )
endmacro()

# Named by the shared library's soname.
set(runtime libconvsmith${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
_convsmith_package(
    runtime ${runtime}
    SECTION libs
    SUMMARY "Fused convolution kernels, one for each shape: shared library"
    TEXT "convsmith has kernels for convolutions and what follows them, such as bias,
activation and group normalisation, behind one table that is looked up by
shape, for the CPU and for CUDA GPUs."
    SHLIBDEPS
)
_convsmith_package(
    programs convsmith
    SECTION devel
    SUMMARY "Fused convolution kernels, one for each shape: programs"
    TEXT "convsmith lists, runs, checks and times the kernels of its table, and
convsmith-gen generates kernels from a manifest of shapes."
    SHLIBDEPS
)
_convsmith_package(
    development libconvsmith-dev
    SECTION libdevel
    SUMMARY "Fused convolution kernels, one for each shape: development files"
    TEXT "Headers, the static library, examples, and the CMake package with
convsmith_add_kernels(), which generates and compiles a project's own shapes."
    DEPENDS "${runtime} (= ${PROJECT_VERSION}), convsmith (= ${PROJECT_VERSION})"
)
include(CPack)
