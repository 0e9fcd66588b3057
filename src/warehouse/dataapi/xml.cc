#include "warehouse/dataapi/xml.h"

#include "aws/xml.h"

namespace leat::dataapi {

void XmlWriter::open(std::string_view name, std::string_view attributes) {
  out_ += '<';
  out_ += name;
  if (!attributes.empty()) {
    out_ += ' ';
    out_ += attributes;
  }
  out_ += '>';
}

void XmlWriter::close(std::string_view name) {
  out_ += "</";
  out_ += name;
  out_ += '>';
}

void XmlWriter::text(std::string_view name, std::string_view value) {
  open(name);
  characters(value);
  close(name);
}

void XmlWriter::characters(std::string_view value) {
  aws::append_xml_text(out_, value);
}

}  // namespace leat::dataapi
