# fanion::fanion is exported; fanion::eigen, fanion::cuda and fanion::torch are made by the package file
# where Eigen, the CUDA toolkit and LibTorch are, so that the installed tree does not depend on where these came from when it was
# installed.

include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

set(package_dir ${CMAKE_INSTALL_DATADIR}/cmake/fanion)
install(TARGETS fanion EXPORT fanion FILE_SET HEADERS)
install(EXPORT fanion NAMESPACE fanion:: DESTINATION ${package_dir} FILE fanionTargets.cmake)

configure_package_config_file(cmake/fanionConfig.cmake.in fanionConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may break; afterwards SameMajorVersion is the promise.
write_basic_package_version_file(fanionConfigVersion.cmake COMPATIBILITY SameMinorVersion
  ARCH_INDEPENDENT)
install(FILES ${PROJECT_BINARY_DIR}/fanionConfig.cmake ${PROJECT_BINARY_DIR}/fanionConfigVersion.cmake
  DESTINATION ${package_dir})
install(FILES cmake/cuda.cmake DESTINATION ${package_dir} RENAME fanionCuda.cmake)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
