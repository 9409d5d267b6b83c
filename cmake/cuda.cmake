# fanion_cuda, alias fanion::cuda, where the CUDA toolkit is installed; else fanion_no_cuda says why
# not. Nothing here needs nvcc: a project that has the language CUDA compiles .cuh headers with it.

function(fanion_find_cuda)
  set(fanion_no_cuda "" PARENT_SCOPE)
  find_package(CUDAToolkit 12.0 QUIET)
  if(NOT CUDAToolkit_FOUND)
    set(fanion_no_cuda "the CUDA toolkit, 12.0 or later, is not installed" PARENT_SCOPE)
    return()
  endif()
  # Thrust moved into a folder of its own with CUDA 13.
  find_path(FANION_THRUST_INCLUDE thrust/for_each.h NO_DEFAULT_PATH
    PATHS ${CUDAToolkit_INCLUDE_DIRS} ${CUDAToolkit_INCLUDE_DIRS}/cccl)
  mark_as_advanced(FANION_THRUST_INCLUDE)
  if(NOT FANION_THRUST_INCLUDE)
    set(fanion_no_cuda "the CUDA toolkit at ${CUDAToolkit_BIN_DIR} has no Thrust" PARENT_SCOPE)
    return()
  endif()
  add_library(fanion_cuda INTERFACE)
  add_library(fanion::cuda ALIAS fanion_cuda)
  fanion_cuda_settings(fanion_cuda)
endfunction()

# Function objects of the library are constexpr where they can be, and the device may call those. nvcc
# does not know g++'s pragma for unrolling, which is for the host's kernels.
# Eigen under nvcc turns its host vectors off unless it is told not to look.
function(fanion_cuda_settings target)
  target_include_directories(${target} SYSTEM INTERFACE ${CUDAToolkit_INCLUDE_DIRS}
    ${FANION_THRUST_INCLUDE})
  target_link_libraries(${target} INTERFACE fanion CUDA::cudart CUDA::cublas CUDA::cusolver)
  target_compile_definitions(${target} INTERFACE EIGEN_NO_CUDA)
  target_compile_options(${target} INTERFACE
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:--expt-relaxed-constexpr -Xcudafe --diag_suppress=1675>")
endfunction()
