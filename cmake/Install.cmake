# What `cmake --install` puts where, so that other programs find the library by find_package(cuonn) or by pkg-config.
include(CMakePackageConfigHelpers)

install(DIRECTORY include/cuonn ${PROJECT_BINARY_DIR}/include/cuonn DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")
install(FILES README.md LICENSE CHANGELOG.md CITATION.cff DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY configs plots DESTINATION ${CMAKE_INSTALL_DATADIR}/cuonn)

# The program holds the static library: it and the libraries need no path to each other.
install(TARGETS cuonn RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# What the static library is linked with, for both kinds of package file.
get_property(links GLOBAL PROPERTY CUONN_LINK)
list(APPEND links OpenMP::OpenMP_C)
list(REMOVE_DUPLICATES links)
set(CUONN_FIND_MODULES "")
set(CUONN_FIND_CUDA "")
set(flags)
foreach(link ${links})
  if(link MATCHES "^PkgConfig::(.+)$")
    set(prefix ${CMAKE_MATCH_1})
    string(APPEND CUONN_FIND_MODULES "  pkg_check_modules(${prefix} QUIET IMPORTED_TARGET ${${prefix}_MODULE_NAME})\n")
    list(APPEND flags ${${prefix}_LDFLAGS})
  elseif(link STREQUAL "ZLIB::ZLIB")
    list(APPEND flags -lz)
  elseif(link STREQUAL "OpenMP::OpenMP_C")
    list(APPEND flags ${OpenMP_C_FLAGS})
  elseif(link MATCHES "^CUDA::(.+)$")
    list(APPEND flags -L${CUDAToolkit_LIBRARY_DIR} -Wl,-rpath,${CUDAToolkit_LIBRARY_DIR} -l${CMAKE_MATCH_1})
    set(CUONN_FIND_CUDA "find_package(CUDAToolkit QUIET)\n")
  elseif(link STREQUAL "stdc++")
    list(APPEND flags -lstdc++)
    list(REMOVE_ITEM links stdc++) # not a package
  else()
    message(FATAL_ERROR "cmake/Install.cmake does not know how a user of the static library finds ${link}")
  endif()
endforeach()
list(REMOVE_DUPLICATES flags)
list(JOIN flags " " CUONN_PRIVATE_FLAGS)

# Two export sets: a user of the shared library needs none of the packages that the static one is linked with.
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cuonn)
foreach(kind shared static)
  set_target_properties(cuonn_${kind} PROPERTIES EXPORT_NAME ${kind})
  install(TARGETS cuonn_${kind} EXPORT cuonn-${kind} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(EXPORT cuonn-${kind} NAMESPACE cuonn:: DESTINATION ${package_folder})
endforeach()
configure_package_config_file(cmake/cuonn-config.cmake.in cuonn-config.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(cuonn-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cuonn-config.cmake ${PROJECT_BINARY_DIR}/cuonn-config-version.cmake
        DESTINATION ${package_folder})

# pkg-config's file names everything from its own place, so that an installation can be moved.
file(RELATIVE_PATH CUONN_PREFIX_FROM_PC /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" CUONN_PREFIX_FROM_PC ${CUONN_PREFIX_FROM_PC})
configure_file(cmake/cuonn.pc.in cuonn.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cuonn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
