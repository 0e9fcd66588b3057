# cmake -DOUT=x.cc -DWEB=web -P EmbedFiles.cmake: writes web_files() with the bytes of the page's files.
set(files index.html console.css console.js favicon.svg)
set(types text/html text/css text/javascript image/svg+xml)
set(arrays "")
set(entries "")
foreach(file type IN ZIP_LISTS files types)
  string(MAKE_C_IDENTIFIER "k_${file}" name)
  file(READ "${WEB}/${file}" hex HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
  string(APPEND arrays "constexpr char ${name}[] = {${bytes}};\n")
  set(path "/${file}")
  if(file STREQUAL "index.html")
    set(path "/")
  endif()
  string(APPEND entries "    {\"${path}\", \"${type}; charset=utf-8\", {${name}, sizeof ${name}}},\n")
endforeach()
file(WRITE "${OUT}" "// Made by EmbedFiles.cmake from web/.
#include \"ops/console/web_files.h\"

namespace leat::console {
namespace {

${arrays}
constexpr WebFile kFiles[] = {
${entries}};

}  // namespace

std::span<const WebFile> web_files() { return kFiles; }

}  // namespace leat::console
")
