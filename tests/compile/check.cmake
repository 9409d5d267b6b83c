# cmake -D MUST=<pass|fail> -D SOURCE=<file> -D COMPILER=<c++> -D INCLUDE=<list> -D SYSTEM=<list>
#       -P check.cmake
#
# In a file that must fail, every line `// expect: <CMake regular expression>` has to match the
# compiler's messages. These are in the C locale (plain quotes), each on one line, without the
# quoted source below it, so that a file cannot match its own text.

cmake_minimum_required(VERSION 3.25)

set(command ${COMPILER} -std=c++20 -fsyntax-only -fmessage-length=0 -Wall -Wextra)
if(COMPILER MATCHES "clang")
  list(APPEND command -fno-caret-diagnostics)
else()
  list(APPEND command -fno-diagnostics-show-caret)
endif()
list(TRANSFORM INCLUDE PREPEND -I)
list(TRANSFORM SYSTEM PREPEND -isystem)
execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${command} ${INCLUDE} ${SYSTEM} ${SOURCE}
  RESULT_VARIABLE status OUTPUT_VARIABLE messages ERROR_VARIABLE messages)

# NOTICE prints as it stands; FATAL_ERROR would wrap the compiler's lines.
function(reject text)
  message(NOTICE "${SOURCE} ${text}")
  message(FATAL_ERROR "compile check failed")
endfunction()

if(MUST STREQUAL "pass")
  if(NOT status EQUAL 0)
    reject("does not compile:\n${messages}")
  endif()
  return()
endif()

if(status EQUAL 0)
  reject("compiles, although it must not")
endif()
file(STRINGS ${SOURCE} expectations REGEX "^// expect: ")
if(NOT expectations)
  reject("has no line '// expect: <regex>'")
endif()
foreach(expectation IN LISTS expectations)
  string(REGEX REPLACE "^// expect: " "" expectation "${expectation}")
  if(NOT messages MATCHES "${expectation}")
    reject("fails for another reason.\nExpected: ${expectation}\nThe compiler said:\n${messages}")
  endif()
endforeach()
