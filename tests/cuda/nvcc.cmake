# Compiled and linked by nvcc, run where there is a device.

include(${PROJECT_SOURCE_DIR}/cmake/cuda_language.cmake)
if(fanion_no_nvcc)
  foreach(test device example trainers_device)
    add_test(NAME cuda.${test} COMMAND sh -c "echo 'Skipped: ${fanion_no_nvcc}.'; exit 77")
    set_tests_properties(cuda.${test} PROPERTIES LABELS cuda SKIP_RETURN_CODE 77)
  endforeach()
  return()
endif()

# The smaller program for one architecture, for the sake of time.
add_executable(test_cuda_device device_test.cu)
add_executable(example_08_cuda ${PROJECT_SOURCE_DIR}/examples/08_cuda.cu)
set_target_properties(example_08_cuda PROPERTIES CUDA_ARCHITECTURES 80)
foreach(program test_cuda_device example_08_cuda)
  target_link_libraries(${program} PRIVATE fanion_cuda)
  target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(${program} PRIVATE -O0 -Werror=all-warnings)
  string(REGEX REPLACE "^(test_cuda_|example_08_cuda)" "" name ${program})
  if(NOT name)
    set(name example)
  endif()
  add_test(NAME cuda.${name} COMMAND ${program})
  set_tests_properties(cuda.${name} PROPERTIES LABELS cuda SKIP_RETURN_CODE 77)
endforeach()

# The trainers' methods on a device: all rules by nvcc, and one program that links them.
if(FANION_BUILD_EXAMPLES AND CMAKE_BUILD_TYPE STREQUAL Debug)
  add_executable(test_cuda_trainers_device trainers_device.cpp
    ${PROJECT_SOURCE_DIR}/examples/trainers/run/device.cu)
  set_target_properties(test_cuda_trainers_device PROPERTIES CUDA_ARCHITECTURES 80)
  target_include_directories(test_cuda_trainers_device PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_options(test_cuda_trainers_device PRIVATE
    $<$<COMPILE_LANGUAGE:CUDA>:-O0 -Werror=all-warnings>)
  target_link_libraries(test_cuda_trainers_device PRIVATE fanion_training fanion_cuda)
  add_test(NAME cuda.trainers_device COMMAND test_cuda_trainers_device)
  set_tests_properties(cuda.trainers_device PROPERTIES LABELS cuda SKIP_RETURN_CODE 77)
endif()
