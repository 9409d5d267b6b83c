# cmake -D DOCS=<docs.cmake> -D SCRATCH=<folder> -P docs_can_fail.cmake
#
# One page a rule, each breaking it, and what docs.cmake has to say about it; then a page that breaks
# none, about which it has to stay silent.

cmake_minimum_required(VERSION 3.25)

set(fence "```")
function(page text verdict)
  file(REMOVE_RECURSE ${SCRATCH})
  file(WRITE ${SCRATCH}/examples/a.cpp "int main() {\n  int x[2] = {1, 2};\n  return x[0];\n}\n")
  file(WRITE ${SCRATCH}/docs/page.md "# A page\n\n${text}\n")
  execute_process(COMMAND ${CMAKE_COMMAND} -D ROOT=${SCRATCH} -P ${DOCS}
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
  message(SEND_ERROR "A page with\n${text}\nshould be: ${verdict}\ndocs.cmake said: ${output}")
endfunction()

set(mark "<!-- quoted: examples/a.cpp -->")
page("${fence}cpp\nint x[2] = {1, 2};\n${fence}" "without '<!-- quoted: file -->' above it")
page("${mark}\n\n${fence}cpp\nint x[2] = {1, 2};\n${fence}" "without '<!-- quoted: file -->'")
page("${mark}\n${fence}cpp\nint x[2] = {1, 3};\n${fence}" "not word for word in examples/a.cpp")
page("${mark}\n${fence}cpp\nint x[2] = {1, 2}\n${fence}" "not word for word in examples/a.cpp")
page("${mark}\n${fence}cpp\nint main() {\n  return x[0];\n${fence}" "not word for word")
page("<!-- quoted: examples/b.cpp -->\n${fence}cpp\nint x;\n${fence}" "which is not there")
page("${mark}\n${fence}cpp\nint x[2] = {1, 2};\n" "a fence is not closed")
page("See [it](other.md)." "links to other.md, which is not there")
page("See [it](../examples/b.cpp)." "links to ../examples/b.cpp, which is not there")
page("See [it](#a-heading)." "links to #a-heading, but there is no such heading")
page("See `examples/b.cpp`." "names examples/b.cpp, which is not there")

page("${mark}\n${fence}cpp\nint x[2] = {1, 2};\n    return x[0];\n${fence}\n
${fence}sh\nanything [here](no.md)\n${fence}\n
[it](../examples/a.cpp), [there](page.md#a-page), [here](#a-page), [web](https://example.org/x)
and `examples/a.cpp`; `examples/*.cpp` is a pattern." fine)
