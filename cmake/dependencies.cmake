# What other people wrote: an installed package first, else a pinned upstream release.

include(FetchContent)

# fanion_header_library(<package> <target> [VERSION v] SUBFOLDER <folder with the headers>
#                       FROM <git repository> TAG <release>)
# A release that was fetched is only unpacked. Its own build files do not run, so they add no
# targets, options or install rules, and its headers are SYSTEM either way.
function(fanion_header_library package target)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "VERSION;SUBFOLDER;FROM;TAG" "")
  if(TARGET ${target})
    return()
  endif()
  find_package(${package} ${arg_VERSION} CONFIG QUIET)
  if(TARGET ${target})
    return()
  endif()
  message(STATUS "${package} is not installed: fetching ${arg_TAG} from ${arg_FROM}")
  FetchContent_Declare(${package} GIT_REPOSITORY ${arg_FROM} GIT_TAG ${arg_TAG} GIT_SHALLOW ON
                       SOURCE_SUBDIR no_build_files)
  FetchContent_MakeAvailable(${package})
  FetchContent_GetProperties(${package} SOURCE_DIR source_dir)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  target_include_directories(${target} INTERFACE "${source_dir}/${arg_SUBFOLDER}")
endfunction()
