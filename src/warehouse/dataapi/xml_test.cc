#include "warehouse/dataapi/xml.h"

#include <gtest/gtest.h>

namespace leat::dataapi {
namespace {

TEST(DataApiXml, EscapesWhatAReaderWouldTakeForMarkup) {
  XmlWriter writer;
  writer.open("A", "x=\"1\"");
  writer.text("B", "a<b>&\"c\"\r");
  writer.number("N", -1);
  writer.boolean("T", true);
  writer.close("A");
  EXPECT_EQ(writer.take(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<A x=\"1\"><B>a&lt;b&gt;&amp;&quot;c&quot;&#13;</B><N>-1</N><T>true</T></A>");
}

}  // namespace
}  // namespace leat::dataapi
