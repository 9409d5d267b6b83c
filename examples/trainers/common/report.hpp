/// @file  One HTML page that needs nothing else: style inside, charts as SVG, no script.
#pragma once

#include <common/chart.hpp>
#include <common/table.hpp>

#include <string>
#include <vector>

namespace trainers {

struct report_section {
  std::string title;
  std::string text;  ///< a paragraph above the content; may be empty
  std::string body;  ///< HTML made by to_svg or to_html
};

struct report_page {
  std::string title;
  std::string lead;  ///< what the page shows, in a sentence or two
  std::vector<report_section> sections;
};

/// `marks` holds, per row, the palette colour of its first cell; empty for none.
[[nodiscard]] inline std::string to_html(const text_table& table, const std::vector<int>& marks) {
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& cell : table.header) out += "<th>" + html_escaped(cell) + "</th>";
  out += "</tr></thead><tbody>\n";
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    out += "<tr>";
    for (std::size_t j = 0; j < table.rows[i].size(); ++j) {
      out += j == 0 ? "<th>" : "<td>";
      if (j == 0 && i < marks.size())
        out += "<i style=\"background:var(--c" + std::to_string(marks[i]) + ")\"></i>";
      out += html_escaped(table.rows[i][j]) + (j == 0 ? "</th>" : "</td>");
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

inline constexpr int palette_size = 12;

/// The whole page. Light or dark follows the reader's system.
[[nodiscard]] inline std::string to_html(const report_page& page) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>" +
      html_escaped(page.title) + "</title>\n<style>\n" +
      R"(:root{color-scheme:light dark;--ink:#1c2024;--soft:#626a73;--rule:#e3e6ea;--paper:#fff;--card:#f7f8fa;
--c0:#7d8590;--c1:#1f6feb;--c2:#8a6d00;--c3:#b5547a;--c4:#d1242f;--c5:#1a7f37;--c6:#0d8a8a;--c7:#6f9a00;--c8:#e16f00;--c9:#8250df;--c10:#5b4b8a;--c11:#a04000}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa3ad;--rule:#2c323a;--paper:#12151a;--card:#1a1e25;
--c0:#8b949e;--c1:#58a6ff;--c2:#d8b13a;--c3:#f28cb1;--c4:#ff6b6b;--c5:#3fb950;--c6:#39c5cf;--c7:#a5d64c;--c8:#ff9f45;--c9:#bc8cff;--c10:#a79bd8;--c11:#e08a54}}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:32px 20px 64px}
h1{font-size:1.7rem;margin:0 0 .3em}h2{font-size:1.15rem;margin:2.2em 0 .2em}
p{color:var(--soft);margin:.2em 0 .8em;max-width:75ch}
pre{white-space:pre-wrap;overflow-wrap:anywhere}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap;font-weight:400}
thead th{color:var(--soft);font-size:.8rem}th:first-child{text-align:left}tbody th{font-weight:600}
tbody tr:hover{background:var(--card)}i{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px}
.chart{width:100%;height:auto;background:var(--card);border-radius:8px}
.chart text{font:12px system-ui,sans-serif;fill:var(--soft)}.grid{stroke:var(--rule)}.axis{stroke:var(--soft)}
.series .name{fill:var(--c);font-weight:600;cursor:default}.line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
.band{fill:var(--c);opacity:0}circle{fill:var(--c);opacity:0}.series,.band{transition:opacity .12s}
.chart:has(.series:hover) .series:not(:hover){opacity:.13}.series:hover .line{stroke-width:2.8}
.series:hover .band{opacity:.18}circle:hover{opacity:1}
)" + "</style></head><body><main>\n<h1>" +
      html_escaped(page.title) + "</h1>\n<p>" + html_escaped(page.lead) + "</p>\n";
  for (const report_section& s : page.sections) {
    out += "<section><h2>" + html_escaped(s.title) + "</h2>\n";
    if (!s.text.empty()) out += "<p>" + html_escaped(s.text) + "</p>\n";
    out += s.body + "</section>\n";
  }
  return out + "</main></body></html>\n";
}

}  // namespace trainers
