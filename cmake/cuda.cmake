# fanion_add_cuda(target fanion_target reason [IMPORTED])
#
# Makes an interface library over CUDA's runtime, cuBLAS, cuSOLVER and Thrust where the toolkit is
# installed; otherwise writes why not into the variable `reason`. Used by the build and, installed
# beside it, by the package file. Nothing here needs nvcc: a project that has the language CUDA
# compiles .cuh headers with it.

function(fanion_add_cuda target fanion_target reason)
  set(${reason} "" PARENT_SCOPE)
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # what links the library may stand in another folder
  find_package(CUDAToolkit 12.0 QUIET)
  if(NOT CUDAToolkit_FOUND)
    set(${reason} "the CUDA toolkit, 12.0 or later, is not installed" PARENT_SCOPE)
    return()
  endif()
  # Thrust moved into a folder of its own with CUDA 13.
  find_path(FANION_THRUST_INCLUDE thrust/for_each.h NO_DEFAULT_PATH
    PATHS ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_INCLUDE_DIRS}/cccl)
  mark_as_advanced(FANION_THRUST_INCLUDE)
  if(NOT FANION_THRUST_INCLUDE)
    set(${reason} "the CUDA toolkit at ${CUDAToolkit_BIN_DIR} has no Thrust" PARENT_SCOPE)
    return()
  endif()
  add_library(${target} INTERFACE ${ARGN})
  target_include_directories(${target} SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS}
    ${FANION_THRUST_INCLUDE})
  target_link_libraries(${target} INTERFACE ${fanion_target} CUDA::cudart CUDA::cublas
    CUDA::cusolver)
  # Function objects of the library are constexpr where they can be, and the device may call those.
  # nvcc does not know g++'s pragma for unrolling, which is for the host's kernels; and under nvcc
  # Eigen turns its host vectors off unless it is told not to look.
  target_compile_options(${target} INTERFACE
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:--expt-relaxed-constexpr -Xcudafe --diag_suppress=1675>")
  target_compile_definitions(${target} INTERFACE EIGEN_NO_CUDA)
endfunction()
