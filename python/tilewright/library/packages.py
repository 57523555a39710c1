"""What build systems look for: a CMake package and a pkg-config file.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from .spec import Library


def cmake_config(library: Library) -> str:
    """NAMEConfig.cmake: find_package(NAME) gives NAME::NAME and NAME::NAME_static."""
    name = library.name
    return f"""\
# {name}: kernels built ahead of time. Written by `tilewright build`.
#
#   find_package({name} CONFIG REQUIRED PATHS this/folder NO_DEFAULT_PATH)
#   target_link_libraries(program PRIVATE {name}::{name})          # the shared library
#   target_link_libraries(program PRIVATE {name}::{name}_static)   # or the archive
set({name}_VERSION "{library.release}")
find_package(Threads REQUIRED)

if(NOT TARGET {name}::{name})
  add_library({name}::{name} SHARED IMPORTED)
  set_target_properties({name}::{name} PROPERTIES
    IMPORTED_LOCATION "${{CMAKE_CURRENT_LIST_DIR}}/lib{name}.so"
    IMPORTED_SONAME "lib{name}.so"
    INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_LIST_DIR}}")

  # All libraries of a process share one thread pool, which a program has to show.
  add_library({name}::{name}_static STATIC IMPORTED)
  set_target_properties({name}::{name}_static PROPERTIES
    IMPORTED_LOCATION "${{CMAKE_CURRENT_LIST_DIR}}/lib{name}.a"
    INTERFACE_INCLUDE_DIRECTORIES "${{CMAKE_CURRENT_LIST_DIR}}"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${{CMAKE_DL_LIBS}}"
    INTERFACE_LINK_OPTIONS "-Wl,--export-dynamic-symbol=tw_thread_pool_v2")
endif()
"""


def cmake_version(library: Library) -> str:
    """NAMEConfigVersion.cmake: a version fits those up to the next major one."""
    return f"""\
set(PACKAGE_VERSION "{library.release}")
if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
  set(PACKAGE_VERSION_COMPATIBLE FALSE)
else()
  string(REGEX MATCH "^[0-9]+" major "${{PACKAGE_VERSION}}")
  if(NOT PACKAGE_FIND_VERSION_MAJOR OR PACKAGE_FIND_VERSION_MAJOR STREQUAL major)
    set(PACKAGE_VERSION_COMPATIBLE TRUE)
  endif()
  if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
    set(PACKAGE_VERSION_EXACT TRUE)
  endif()
endif()
"""


def pkg_config(library: Library) -> str:
    """NAME.pc; its folder is the library's."""
    return f"""\
prefix=${{pcfiledir}}
Name: {library.name}
Description: {library.description.replace("$", "$$") or "kernels for CPUs and GPUs"}
Version: {library.release}
Cflags: -I${{prefix}}
Libs: -L${{prefix}} -l{library.name}
Libs.private: -lpthread -ldl -Wl,--export-dynamic-symbol=tw_thread_pool_v2
"""
