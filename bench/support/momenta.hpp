/// @file  Momenta that the MLP trainer recorded (--record), one matrix a training step.
#pragma once

#include <Eigen/Core>

#include <array>
#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace bench {

/// Reads a whole file. @throws std::runtime_error naming the file where it is missing or damaged.
inline std::vector<Eigen::MatrixXf> read_momenta(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::array<char, 8> magic{};
  std::array<std::int64_t, 3> head{};
  in.read(magic.data(), magic.size());
  in.read(reinterpret_cast<char*>(head.data()), sizeof head);
  if (!in || std::string(magic.data(), magic.size()) != "FANMOM01" || head[0] < 1 || head[1] < 1)
    throw std::runtime_error(path + ": not a file of momenta (fanion-train mlp --record writes them)");
  std::vector<Eigen::MatrixXf> momenta;
  for (std::int64_t t = 0; t < head[2]; ++t) {
    momenta.emplace_back(head[0], head[1]);
    in.read(reinterpret_cast<char*>(momenta.back().data()),
            static_cast<std::streamsize>(sizeof(float)) * momenta.back().size());
    if (!in) throw std::runtime_error(path + ": ends early");
  }
  return momenta;
}

}  // namespace bench
