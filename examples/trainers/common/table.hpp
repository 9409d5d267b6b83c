/// @file  A table of strings, as text for a terminal and as Markdown.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace trainers {

struct text_table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  ///< each as long as the header
};

/// Columns padded to their widest cell, the first to the left and the others to the right. Width
/// counts characters, not bytes, so that ± does not shift a column.
[[nodiscard]] inline std::string to_text(const text_table& table, bool markdown = false) {
  const auto width_of = [](const std::string& s) {
    return std::count_if(s.begin(), s.end(), [](char c) { return (c & '\xc0') != '\x80'; });
  };
  std::vector<std::ptrdiff_t> widths;
  for (std::size_t j = 0; j < table.header.size(); ++j) {
    std::ptrdiff_t w = width_of(table.header[j]);
    for (const auto& row : table.rows) w = std::max(w, width_of(row[j]));
    widths.push_back(w);
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const std::string pad(static_cast<std::size_t>(widths[j] - width_of(cells[j])), ' ');
      out += markdown ? (j == 0 ? "| " : " | ") : (j == 0 ? "" : "  ");
      out += j == 0 ? cells[j] + pad : pad + cells[j];
    }
    return out + (markdown ? " |\n" : "\n");
  };
  std::string out = line(table.header);
  if (markdown) {
    for (std::size_t j = 0; j < widths.size(); ++j)
      out += std::string("|-") + std::string(static_cast<std::size_t>(widths[j]), '-') +
             (j == 0 ? "-" : ":");
    out += "|\n";
  }
  for (const auto& row : table.rows) out += line(row);
  return out;
}

}  // namespace trainers
