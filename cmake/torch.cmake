# fanion_torch, alias fanion::torch, where LibTorch is installed and the compiler takes its headers
# as C++20; else fanion_no_torch says why not.
#
# find_package(Torch) sets variables for the whole folder, so it is called in a function, and only
# by who asks for it.

include(CheckCXXSourceCompiles)

function(fanion_find_torch)
  set(fanion_no_torch "" PARENT_SCOPE)
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # what links fanion_torch may stand in another folder
  find_package(Torch QUIET)
  if(NOT Torch_FOUND AND NOT TORCH_FOUND)
    set(fanion_no_torch "LibTorch is not installed (Debian: libtorch-dev)" PARENT_SCOPE)
    return()
  endif()
  # clang with libstdc++ refuses the headers of 1.13: a std::vector of an incomplete type.
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    set(CMAKE_REQUIRED_FLAGS "-std=c++20 -fsyntax-only")
    set(CMAKE_REQUIRED_INCLUDES ${TORCH_INCLUDE_DIRS})
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    set(CMAKE_REQUIRED_QUIET ON)
    check_cxx_source_compiles("#include <torch/types.h>" FANION_TORCH_COMPILES)
    if(NOT FANION_TORCH_COMPILES)
      set(fanion_no_torch "this compiler does not take the headers of the installed LibTorch as C++20"
        PARENT_SCOPE)
      return()
    endif()
  endif()
  add_library(fanion_torch INTERFACE)
  add_library(fanion::torch ALIAS fanion_torch)
  target_include_directories(fanion_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(fanion_torch INTERFACE fanion ${TORCH_LIBRARIES})
endfunction()
