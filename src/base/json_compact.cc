#include "base/json_compact.h"

namespace leat {

void append_compact_json(std::string& out, std::string_view json) {
  // Outside strings, white space is the only thing that may go.
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\') out.push_back(json[++i]);
      if (c == '"') in_string = false;
    } else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
      out.push_back(c);
      in_string = c == '"';
    }
  }
}

}  // namespace leat
