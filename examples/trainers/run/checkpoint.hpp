/// @file  A run on disk, so that it can go on: weights, optimizer, record; of one that has ended
/// the record alone.
///
/// The file is a line of text that names the format, then what fanion::archive_writer makes of
/// identity, record, step, weights and optimizer, then a checksum of all that. It is written beside
/// its place and then moved there, so that a program killed at any moment leaves the last one
/// whole.
#pragma once

#include <common/atomic_file.hpp>
#include <run/methods.hpp>
#include <run/run_record.hpp>

#include <fanion/core/archive.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace trainers {

/// A run in its middle or at its end.
struct run_position {
  index_t step = 0;  ///< the next one
  bool ended = false;
  run_record record;
};

namespace detail {

inline constexpr std::string_view checkpoint_format = "fanion run 2\n";

/// Fowler, Noll and Vo's hash, FNV-1a in 64 bits: against damage, not against malice.
[[nodiscard]] inline std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// Where a run stands that goes on. Momenta are those of the spectrum recorder.
inline void write_state(fanion::archive_writer& out, index_t step, task& net,
                        const network_optimizer& opt, const std::string& recorder) {
  out.write(step);
  const auto parameters = net.parameters();
  out.write(static_cast<std::uint64_t>(parameters.size()));
  for (const auto& p : parameters) {
    const auto& x = p.weight.storage;
    out.write(p.name);
    out.write(x.rows());
    out.write(x.cols());
    for (index_t j = 0; j < x.cols(); ++j)
      out.write(std::span<const float>(x.col(j), static_cast<std::size_t>(x.rows())));
  }
  std::ostringstream state;
  opt.save(state);
  out.write(state.str());
  out.write(recorder);
}

}  // namespace detail

/// `identity` is all that the run's numbers depend on.
/// @throws std::runtime_error naming the file where it cannot be written; the old one stays then.
inline void write_checkpoint(const std::filesystem::path& path, const std::string& identity,
                             const run_position& at, task& net, const network_optimizer& opt,
                             const std::string& recorder) {
  std::ostringstream bytes;
  fanion::archive_writer out(bytes);
  out.write(identity);
  out.write(static_cast<std::uint8_t>(at.ended));
  save(out, at.record);
  if (!at.ended) detail::write_state(out, at.step, net, opt, recorder);
  const std::string body = bytes.str();
  std::ostringstream tail;
  fanion::archive_writer(tail).write(detail::checksum(body));
  write_atomically(path, std::string(detail::checkpoint_format) + body + tail.str());
}

/// Weights, optimizer and recorder as they were. Nothing is changed where something is wrong.
/// @throws std::runtime_error naming the file and what was expected and found.
[[nodiscard]] inline run_position read_checkpoint(const std::filesystem::path& path,
                                                  const std::string& identity, task& net,
                                                  network_optimizer& opt, std::string& recorder) {
  const auto refuse = [&](const std::string& why) {
    throw std::runtime_error(path.string() + ": " + why);
  };
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse("cannot be opened");
  std::ostringstream all;
  all << file.rdbuf();
  const std::string bytes = std::move(all).str();
  const std::string_view format = detail::checkpoint_format;
  if (!bytes.starts_with(format))
    refuse("is no checkpoint of this program: expected it to start with \"" +
           std::string(format.substr(0, format.size() - 1)) + "\"");
  if (bytes.size() < format.size() + sizeof(std::uint64_t)) refuse("truncated");
  const std::string body =
      bytes.substr(format.size(), bytes.size() - format.size() - sizeof(std::uint64_t));
  std::istringstream tail(bytes.substr(bytes.size() - sizeof(std::uint64_t)));
  if (fanion::archive_reader(tail).read<std::uint64_t>() != detail::checksum(body))
    refuse("truncated or damaged: its checksum does not fit");

  std::istringstream stream(body);
  fanion::archive_reader in(stream);
  try {
    if (const std::string found = in.read_text(); found != identity)
      refuse("is of another run: expected " + identity + ", found " + found);
    run_position at;
    at.ended = in.read<std::uint8_t>() != 0;
    at.record = load_record(in);
    if (at.ended) return at;
    at.step = in.read<index_t>();
    const auto parameters = net.parameters();
    const auto count = in.read<std::uint64_t>();
    if (count != parameters.size())
      refuse("expected " + std::to_string(parameters.size()) + " parameters, found " +
             std::to_string(count));
    std::vector<std::vector<float>> weights;
    for (const auto& p : parameters) {
      const auto& x = p.weight.storage;
      const std::string name = in.read_text();
      const auto rows = in.read<index_t>(), cols = in.read<index_t>();
      if (name != p.name || rows != x.rows() || cols != x.cols())
        refuse("expected " + p.name + " " + fanion::shape_text(x.rows(), x.cols()) + ", found " +
               name + " " + fanion::shape_text(rows, cols));
      weights.emplace_back(static_cast<std::size_t>(x.size()));
      in.read(std::span<float>(weights.back()));
    }
    constexpr std::uint64_t most = std::uint64_t(1) << 40;
    std::istringstream state(in.read_text(most));
    std::string momenta = in.read_text(most);
    opt.load(state);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const auto& x = parameters[i].weight.storage;
      for (index_t j = 0; j < x.cols(); ++j)
        std::copy_n(weights[i].data() + j * x.rows(), x.rows(), x.col(j));
    }
    recorder = std::move(momenta);
    return at;
  } catch (const std::invalid_argument& error) {
    refuse(error.what());
  }
  return {};
}

}  // namespace trainers
