# LLVM and MLIR 22, and how our libraries are built against them.
#
# Everything links the shared libMLIR and libLLVM: linking a static MLIR library
# beside them would register its types twice. Symbols keep the default visibility: a
# hidden trait would have a type id of its own and MLIR would not recognise it.
set(LLVM_ROOT_DIR "/usr/lib/llvm-22" CACHE PATH "Where LLVM and MLIR 22 are installed")
find_package(MLIR REQUIRED CONFIG PATHS ${LLVM_ROOT_DIR}/lib/cmake/mlir NO_DEFAULT_PATH)
if(NOT LLVM_PACKAGE_VERSION MATCHES "^22\\.")
  message(FATAL_ERROR "Tilewright needs LLVM and MLIR 22; ${LLVM_ROOT_DIR} holds "
    "${LLVM_PACKAGE_VERSION}. Install llvm-22-dev and libmlir-22-dev or set LLVM_ROOT_DIR.")
endif()

find_package(LLD REQUIRED CONFIG PATHS ${LLVM_ROOT_DIR}/lib/cmake/lld NO_DEFAULT_PATH)

list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# Directory properties, because TableGen reads its include path from them.
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR} ${CMAKE_SOURCE_DIR}/runtime/include)
separate_arguments(TILEWRIGHT_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")

# One precompiled header for all: a file that includes MLIR costs seven seconds without
# it and one and a half with it. Executables link the same position-independent code as
# the libraries, so that the header serves them too.
add_library(tilewright_prefix OBJECT ${CMAKE_SOURCE_DIR}/cmake/MLIRPrefix.cpp)
target_precompile_headers(tilewright_prefix PRIVATE ${CMAKE_SOURCE_DIR}/cmake/MLIRPrefix.h)

# Compile flags for a target that includes MLIR.
function(tilewright_mlir_flags name)
  target_compile_definitions(${name} PRIVATE ${TILEWRIGHT_LLVM_DEFINITIONS})
  target_compile_options(${name} PRIVATE -fno-exceptions -fPIC -Wall -Wextra
    -Wno-unused-parameter -Wno-comment)
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
endfunction()
tilewright_mlir_flags(tilewright_prefix)

# The flags and the precompiled header.
function(tilewright_use_mlir name)
  tilewright_mlir_flags(${name})
  target_precompile_headers(${name} REUSE_FROM tilewright_prefix)
endfunction()

# tilewright_mlir_library(NAME sources... [DEPENDS targets...] [LINK libraries...])
#
# A static library of the compiler.
function(tilewright_mlir_library name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  tilewright_use_mlir(${name})
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK} MLIR LLVM)
endfunction()
