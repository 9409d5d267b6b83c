# What every test, example and benchmark of fanion is compiled with. None of it reaches a user.

add_library(fanion_warnings INTERFACE)
target_compile_options(fanion_warnings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow>)
# g++ spends a tenth of such a build on collecting its garbage. Where nothing but tests is built it
# may keep more of it.
target_compile_options(fanion_warnings INTERFACE
  $<$<AND:$<CONFIG:Debug>,$<COMPILE_LANG_AND_ID:CXX,GNU>>:--param=ggc-min-heapsize=524288>)
if(FANION_WERROR)
  target_compile_options(fanion_warnings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-Werror>)
  # Later compilers raise false alarms of these three kinds deep inside inlined third-party code.
  # They stay visible there, and are errors in the versions that every change is tested with.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 13)
    target_compile_options(fanion_warnings INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:
      -Wno-error=array-bounds -Wno-error=maybe-uninitialized -Wno-error=stringop-overflow>)
  endif()
endif()

# Trainers and benchmarks are about speed: full optimisation, and this machine's instructions.
# In a Debug build, which tests, they are about compiling and need not wait for the optimiser.
# g++ 12 takes the deliberately undefined lanes of its own AVX-512 headers for a mistake of ours.
add_library(fanion_speed INTERFACE)
target_compile_options(fanion_speed INTERFACE $<$<NOT:$<CONFIG:Debug>>:-O3>)
# nvcc's host code is for any processor, and one program is for one.
if(FANION_NATIVE AND NOT FANION_TRAIN_ON_DEVICE)
  target_compile_options(fanion_speed INTERFACE $<$<AND:$<NOT:$<CONFIG:Debug>>,$<COMPILE_LANGUAGE:C,CXX>>:-march=native>
    $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
endif()
