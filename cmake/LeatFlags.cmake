# Compiler and linker flags, carried by one interface target so that no file sets its own.
add_library(leat_flags INTERFACE)
target_compile_options(leat_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ 12 reports false positives from inlined library code at -O2 under these two.
  target_compile_options(leat_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overread)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # The standard library of g++ 12 sorts with what it calls deprecated itself, and only g++ does not say so.
  target_compile_options(leat_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(LEAT_UNITY AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # What a file keeps to itself looks to g++ as if a header had it, when the file is part of a batch.
  target_compile_options(leat_flags INTERFACE -Wno-subobject-linkage)
endif()
# Line tables are all that a stack trace needs; full debug information is a quarter of the time of an optimized build.
target_compile_options(leat_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:-g1>)
# Functions of one file may call each other directly and be inlined: worth a twentieth of shaping's time.
target_compile_options(leat_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:-fno-semantic-interposition>)
if(LEAT_SANITIZE)
  target_compile_options(leat_flags INTERFACE -fsanitize=${LEAT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(leat_flags INTERFACE -fsanitize=${LEAT_SANITIZE})
  if(LEAT_SANITIZE MATCHES "undefined")
    # A quarter of the time of a build, for what other means find: a null pointer faults under the address sanitizer
    # too, object-size needs more optimization than -Og to see anything, no downcast is written here, and the fuzz
    # preset looks at the alignment of what the parsers read.
    set(leat_left_out null,nonnull-attribute,returns-nonnull-attribute,object-size,vptr)
    if(NOT LEAT_FUZZ)
      string(APPEND leat_left_out ",alignment")
    endif()
    target_compile_options(leat_flags INTERFACE -fno-sanitize=${leat_left_out})
  endif()
  if(LEAT_SANITIZE MATCHES "address" AND CMAKE_BUILD_TYPE STREQUAL "Debug")
    target_compile_options(leat_flags INTERFACE -Og -g1)
  endif()
else()
  target_compile_options(leat_flags INTERFACE -fstack-protector-strong)
  target_compile_definitions(leat_flags INTERFACE $<$<CONFIG:RelWithDebInfo>:_FORTIFY_SOURCE=2>)
endif()
if(LEAT_FUZZ)
  # Without this the fuzzers see the coverage of their own file only and are not guided at all.
  target_compile_options(leat_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(LEAT_DEV)
  target_compile_definitions(leat_flags INTERFACE _GLIBCXX_ASSERTIONS)
endif()
find_program(LEAT_MOLD mold)
if(LEAT_MOLD AND NOT LEAT_FUZZ)
  target_link_options(leat_flags INTERFACE -fuse-ld=mold)
endif()
