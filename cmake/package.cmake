# SPDX-License-Identifier: Apache-2.0
# What `cmake --install` and `cpack -G DEB` put on a machine: the binary, its service, its pages. `./dev package` calls it.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # the binary is what is packaged, not its tests
set(pages ${CMAKE_INSTALL_DATADIR}/doc/stella)
# The console is a second server of the same home, hardened alike; the runtime folder is the socket's.
file(READ packaging/stella.service console)
string(REPLACE "serve --socket" "serve --listen 127.0.0.1:8080" console "${console}")
string(REPLACE "sealed runner of Task Packs" "console of the sealed runner" console "${console}")
string(REGEX REPLACE "RuntimeDirectory[^\n]*\n" "" console "${console}")
# Runs that were started over HTTP have runners of their own, which outlive a restart of the console.
string(REPLACE "Restart=on-failure\n" "Restart=on-failure\nKillMode=process\n" console "${console}")
string(REGEX REPLACE "# SIGTERM to the service[^\n]*\n" "" console "${console}")
file(WRITE ${CMAKE_BINARY_DIR}/stella-console.service "${console}")
install(FILES packaging/stella.service ${CMAKE_BINARY_DIR}/stella-console.service DESTINATION lib/systemd/system)
install(FILES packaging/sysusers.conf DESTINATION lib/sysusers.d RENAME stella.conf)
install(FILES packaging/service.json DESTINATION ${pages}/examples)
install(FILES packaging/debian/copyright DESTINATION ${pages})
install(FILES README.md CHANGELOG.md SECURITY.md DESTINATION ${pages})
install(DIRECTORY docs/ DESTINATION ${pages} FILES_MATCHING PATTERN "*.md" PATTERN examples EXCLUDE)
# Man pages and completions come from the binary, so they are made when it is installed.
install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" \"-DSTELLA=$<TARGET_FILE:stella>\" \"-DSOURCE=${CMAKE_SOURCE_DIR}\"
  \"-DINTO=${CMAKE_BINARY_DIR}/pages\" -P \"${CMAKE_SOURCE_DIR}/cmake/package_pages.cmake\" COMMAND_ERROR_IS_FATAL ANY)")
install(DIRECTORY ${CMAKE_BINARY_DIR}/pages/ DESTINATION ${CMAKE_INSTALL_DATADIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME stella)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "the stella maintainers <stella@example.org>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "sealed, air-gapped runner of signed Task Packs")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# Loaded when a notification is posted, so no program is linked with it.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libcurl4, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "systemd, openssh-client, openssl")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/debian/postinst
  ${CMAKE_SOURCE_DIR}/packaging/debian/prerm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
