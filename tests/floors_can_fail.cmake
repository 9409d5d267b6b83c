# cmake -D FLOORS=<floors.cmake> -D SCRATCH=<folder> -P floors_can_fail.cmake
#
# One header a rule, each breaking it, and what floors.cmake has to say about it; then headers that
# break none, about which it has to stay silent.

cmake_minimum_required(VERSION 3.25)

function(header path text verdict)
  file(REMOVE_RECURSE ${SCRATCH})
  file(WRITE ${SCRATCH}/${path} "${text}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${SCRATCH} -P ${FLOORS}
    RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")  # CMake wraps long messages
  string(FIND "${output}" "${verdict}" found)
  if(verdict STREQUAL "fine")
    if(status EQUAL 0)
      return()
    endif()
  elseif(NOT status EQUAL 0 AND NOT found EQUAL -1)
    return()
  endif()
  message(SEND_ERROR "${path} with\n${text}\nshould be: ${verdict}\nfloors.cmake said: ${output}")
endfunction()

set(once "#pragma once\n")
header(core/a.hpp "" "core/a.hpp has no #pragma once")
header(core/a.hpp "${once}#include \"b.hpp\"" "core/a.hpp includes without angle brackets")
header(fast/a.hpp "${once}" "fast/a.hpp stands on no floor")
header(readme.txt "${once}" "no headers in")
header(norms/deeper/a.hpp "${once}#include <fanion/spectral/deeper/b.hpp>"
  "norms/deeper/a.hpp may not include <fanion/spectral/deeper/b.hpp>")
foreach(upward
    core:backend/b core:norms/b core:adapters/b backend:norms/b backend:spectral/b
    backend:adapters/b norms:spectral/b norms:backend/eigen norms:oracles/b norms:adapters/b
    spectral:norms/b spectral:oracles/b spectral:adapters/b oracles:optim/b oracles:adapters/b
    optim:adapters/b)
  string(REPLACE ":" ";" upward ${upward})
  list(GET upward 0 from)
  list(GET upward 1 to)
  header(${from}/a.hpp "${once}  #  include <fanion/${to}.hpp>"
    "${from}/a.hpp may not include <fanion/${to}.hpp>")
endforeach()
header(optim/a.hpp "${once}#include <fanion/fanion.hpp>" "may not include the umbrella")
header(backend/a.hpp "${once}#include <fanion/backend/cuda.cuh>" "is plain C++ and may not include")
header(backend/b.hpp "${once}#include <Eigen/Core>" "backend/b.hpp may not include Eigen")
header(optim/b.hpp "${once}#include <torch/types.h>" "optim/b.hpp may not include LibTorch")
header(adapters/buffers.hpp "${once}#include <ATen/ATen.h>" "buffers.hpp may not include LibTorch")
header(eigen.hpp "${once}#include <Eigen/Core>" "eigen.hpp may not include Eigen")
header(norms/a.hpp "${once}#include <cuda_runtime.h>" "norms/a.hpp may not include CUDA")
header(backend/eigen.hpp "${once}#include <thrust/sort.h>" "backend/eigen.hpp may not include CUDA")

header(core/a.hpp "${once}#include <fanion/core/b.hpp>\n#include <vector>" fine)
header(norms/a.hpp "${once}#include <fanion/backend/concepts.hpp>" fine)
header(oracles/a.hpp "${once}#include <fanion/norms/b.hpp>\n#include <fanion/spectral/b.hpp>" fine)
header(adapters/eigen.hpp "${once}#include <fanion/core/view.hpp>\n#include <Eigen/Core>" fine)
header(adapters/buffers.hpp "${once}#include <fanion/optim/b.hpp>\n#include <fanion/norms/b.hpp>" fine)
header(adapters/torch.hpp "${once}#include <fanion/optim/b.hpp>\n#include <torch/types.h>" fine)
header(backend/cublas.hpp "${once}#include <cublas_v2.h>" fine)
header(adapters/thrust.cuh "${once}#include <thrust/device_vector.h>" fine)
header(eigen.hpp "${once}#include <fanion/adapters/eigen.hpp>\n#include <fanion/fanion.hpp>" fine)
