/// @file  What the tests of examples share: whether text is well-formed XML.
#pragma once

#include <string>
#include <vector>

namespace example_tests {

/// Empty for a well-formed document; otherwise what is wrong: an element that is not closed, a
/// closing tag that does not fit, a stray & or <, an attribute without quotes, more than one root.
[[nodiscard]] inline std::string fault_of_xml(const std::string& text) {
  std::vector<std::string> open;
  int roots = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '&') {
      const std::string entity = text.substr(at, text.find(';', at) - at + 1);
      if (entity != "&amp;" && entity != "&lt;" && entity != "&gt;" && entity != "&quot;")
        return "stray &";
    }
    if (text[at] != '<') continue;
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos || text.find('<', at + 1) < end) return "unclosed <";
    const bool closing = text[at + 1] == '/', empty = text[end - 1] == '/';
    const std::size_t from = at + (closing ? 2 : 1);
    const std::string inside = text.substr(from, end - from - (empty ? 1 : 0));
    const std::string name = inside.substr(0, inside.find_first_of(" \n"));
    if (closing) {
      if (open.empty() || open.back() != name) return "</" + name + "> does not fit";
      open.pop_back();
    } else {
      int quotes = 0;
      for (std::size_t i = 0; i < inside.size(); ++i) {
        quotes += inside[i] == '"';
        if (inside[i] == '=' && quotes % 2 == 0 && inside[i + 1] != '"') return "bare attribute";
      }
      if (quotes % 2 != 0) return "open quote in " + name;
      if (open.empty() && ++roots > 1) return "second root";
      if (!empty) open.push_back(name);
    }
    at = end;
  }
  return open.empty() && roots == 1 ? "" : "not closed";
}

}  // namespace example_tests
