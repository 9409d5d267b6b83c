# Configures, builds and runs the consumer project of this WAY of getting fanion.

cmake_minimum_required(VERSION 3.25)

file(REMOVE_RECURSE ${SCRATCH})
set(project ${WAY})
set(options "-DCMAKE_CXX_COMPILER=${COMPILER}" "-DCMAKE_CXX_FLAGS=${FLAGS}")

if(WAY MATCHES "^find_package|^torch$|^cuda$")
  string(REGEX REPLACE "_core$" "" project ${WAY})
  # Installed in one place and used from another: the package must not know where it was built.
  execute_process(COMMAND ${CMAKE_COMMAND} --install ${FANION_BINARY} --prefix ${SCRATCH}/installed
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(RENAME ${SCRATCH}/installed ${SCRATCH}/moved)
  list(APPEND options "-DCMAKE_PREFIX_PATH=${SCRATCH}/moved")
else()
  list(APPEND options "-DFANION_SOURCE=${FANION_SOURCE}"
    "-DFETCHCONTENT_SOURCE_DIR_FANION=${FANION_SOURCE}")
endif()
if(WAY STREQUAL "find_package_core")
  list(APPEND options -DCMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON)
elseif(EIGEN_DIR)
  list(APPEND options "-DEigen3_DIR=${EIGEN_DIR}")
endif()
if(WAY STREQUAL "torch" AND TORCH_DIR)
  list(APPEND options "-DTorch_DIR=${TORCH_DIR}")
endif()

execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/${project} -B ${SCRATCH}/build
    -G ${GENERATOR} --no-warn-unused-cli ${options}
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${SCRATCH}/build COMMAND_ERROR_IS_FATAL ANY)

# A consumer gets headers and two targets: no test, example or benchmark of ours.
file(GLOB_RECURSE programs RELATIVE ${SCRATCH}/build ${SCRATCH}/build/*test_* ${SCRATCH}/build/*mlp*)
if(programs)
  message(FATAL_ERROR "the consumer built parts of fanion: ${programs}")
endif()

if(WAY STREQUAL "torch")
  execute_process(COMMAND ${SCRATCH}/build/torch_step COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()
if(WAY STREQUAL "cuda")
  execute_process(COMMAND ${SCRATCH}/build/cuda_handles COMMAND_ERROR_IS_FATAL ANY)
  return()
endif()
execute_process(COMMAND ${SCRATCH}/build/algebra COMMAND_ERROR_IS_FATAL ANY)
if(NOT WAY STREQUAL "find_package_core")
  execute_process(COMMAND ${SCRATCH}/build/oracle COMMAND_ERROR_IS_FATAL ANY)
endif()
