#include <gpt/network.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace trainers;

namespace {

constexpr gpt_shape tiny{5, 7, 9, 2, 2, 6};
constexpr index_t sequence = 4;  // shorter than the context

struct problem {
  gpt_parameters<double> net{tiny};
  std::vector<std::uint16_t> tokens = {1, 0, 6, 3, 2, 2, 5, 1};
  std::vector<std::uint16_t> targets = {0, 6, 3, 4, 2, 5, 1, 6};

  problem() {
    initialise(net, 3);
    // Large enough that every part matters, biases and factors too.
    for (std::size_t i = 0; i < net.values().size(); ++i)
      net.values()[i] = 8 * net.values()[i] * (net.values()[i] == 1 ? 0.1 : 1) +
                        0.2 * fanion::random_normal(17, static_cast<index_t>(i), 0);
  }
  [[nodiscard]] double loss() const {
    gpt_network<double> model(tiny);
    return model.run(net, tokens, targets, sequence, 1, nullptr).loss;
  }
};

using row = std::vector<double>;

/// y = W x + b for layer l, W outputs x inputs with inputs fastest.
row linear(const gpt_parameters<double>& p, gpt_tensor w, gpt_tensor b, index_t l, const row& x) {
  const gpt_extent& e = p.extent(w);
  row y(std::size_t(e.rows));
  for (index_t i = 0; i < e.rows; ++i) {
    y[std::size_t(i)] = p.data(b, l)[i];
    for (index_t j = 0; j < e.cols; ++j)
      y[std::size_t(i)] += p.data(w, l)[i * e.cols + j] * x[std::size_t(j)];
  }
  return y;
}
row norm(const gpt_parameters<double>& p, gpt_tensor w, gpt_tensor b, index_t l, const row& x) {
  double mean = 0, variance = 0;
  for (const double v : x) mean += v / double(x.size());
  for (const double v : x) variance += (v - mean) * (v - mean) / double(x.size());
  row y = x;
  for (std::size_t i = 0; i < x.size(); ++i)
    y[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * p.data(w, l)[i] + p.data(b, l)[i];
  return y;
}

/// The same model by loops over tokens, with nothing shared but the memory's layout.
double reference_loss(const problem& q, index_t& correct) {
  const gpt_parameters<double>& p = q.net;
  using t = gpt_tensor;
  const std::size_t width = std::size_t(tiny.width), size = width / std::size_t(tiny.heads);
  double total = 0;
  correct = 0;
  for (std::size_t first = 0; first < q.tokens.size(); first += sequence) {
    std::vector<row> x;
    for (std::size_t i = 0; i < sequence; ++i) {
      row r(width);
      for (std::size_t c = 0; c < width; ++c)
        r[c] = p.data(t::wte)[q.tokens[first + i] * width + c] + p.data(t::wpe)[i * width + c];
      x.push_back(r);
    }
    for (index_t l = 0; l < tiny.layers; ++l) {
      std::vector<row> qkv;
      for (const row& r : x)
        qkv.push_back(linear(p, t::qkvw, t::qkvb, l, norm(p, t::ln1w, t::ln1b, l, r)));
      for (std::size_t i = 0; i < sequence; ++i) {
        row mixed(width, 0);
        for (std::size_t h = 0; h < std::size_t(tiny.heads); ++h) {
          row share;
          double mass = 0;
          for (std::size_t j = 0; j <= i; ++j) {
            double s = 0;
            for (std::size_t c = 0; c < size; ++c)
              s += qkv[i][h * size + c] * qkv[j][width + h * size + c];
            share.push_back(std::exp(s / std::sqrt(double(size))));
            mass += share.back();
          }
          for (std::size_t j = 0; j <= i; ++j)
            for (std::size_t c = 0; c < size; ++c)
              mixed[h * size + c] += share[j] / mass * qkv[j][2 * width + h * size + c];
        }
        const row y = linear(p, t::attprojw, t::attprojb, l, mixed);
        for (std::size_t c = 0; c < width; ++c) x[i][c] += y[c];
      }
      for (row& r : x) {
        row h = linear(p, t::fcw, t::fcb, l, norm(p, t::ln2w, t::ln2b, l, r));
        for (double& v : h)
          v = 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
        const row y = linear(p, t::fcprojw, t::fcprojb, l, h);
        for (std::size_t c = 0; c < width; ++c) r[c] += y[c];
      }
    }
    for (std::size_t i = 0; i < sequence; ++i) {
      const row y = norm(p, t::lnfw, t::lnfb, 0, x[i]);
      row logits;
      for (std::size_t v = 0; v < std::size_t(tiny.vocabulary); ++v) {
        logits.push_back(0);
        for (std::size_t c = 0; c < width; ++c) logits[v] += p.data(t::wte)[v * width + c] * y[c];
      }
      double mass = 0;
      for (const double z : logits) mass += std::exp(z);
      const std::size_t target = q.targets[first + i];
      total += std::log(mass) - logits[target];
      const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
      correct += std::size_t(best) == target ? 1 : 0;
    }
  }
  return total;
}

}  // namespace

TEST_CASE("the block of memory has llm.c's order and size") {
  const gpt_parameters<float> net(gpt_shape{1024, 50257, 50304, 12, 12, 768});
  CHECK(net.values().size() == 124475904);  // as llm.c prints it
  CHECK(std::string(net.layout()[4].name) == "qkvw");
  CHECK(net.layout()[4].first == 50304 * 768 + 1024 * 768 + 2 * 12 * 768);
}

TEST_CASE("forward is embeddings, attention, GELU and cross-entropy") {
  const problem p;
  gpt_network<double> model(tiny);
  const tally got = model.run(p.net, p.tokens, p.targets, sequence, 1, nullptr);
  index_t correct = 0;
  const double want = reference_loss(p, correct);
  // Hundreds of additions of numbers near 1, two layers deep.
  CHECK(got.loss == doctest::Approx(want).epsilon(1e-12));
  CHECK(got.correct == correct);
  CHECK(got.count == 8);
  // What follows the last token of a sequence depends on the tokens before it alone.
  const auto last = std::span<const std::uint16_t>(p.tokens).first(sequence);
  const auto logits = model.next(p.net, last);
  CHECK(logits.size() == tiny.vocabulary);
  const double mass = logits.array().exp().sum();
  gpt_network<double> other(tiny);
  const std::vector<std::uint16_t> first(p.tokens.begin(), p.tokens.begin() + sequence);
  double sum = 0;
  for (std::size_t i = 1; i <= sequence; ++i) {
    const auto z = other.next(p.net, std::span<const std::uint16_t>(first).first(i));
    sum += std::log(z.array().exp().sum()) - z(p.targets[i - 1]);
  }
  const std::vector<std::uint16_t> wanted(p.targets.begin(), p.targets.begin() + sequence);
  CHECK(other.run(p.net, first, wanted, sequence, 1, nullptr).loss ==
        doctest::Approx(sum).epsilon(1e-12));
  CHECK(mass > 0);
}

TEST_CASE("the gradient is that of the loss, in every entry of every tensor") {
  problem p;
  gpt_parameters<double> gradient(tiny);
  gpt_network<double> model(tiny);
  const double scale = 0.25;
  (void)model.run(p.net, p.tokens, p.targets, sequence, scale, &gradient);
  double worst = 0;
  for (const gpt_extent& e : p.net.layout()) {
    double largest = 0;
    for (index_t i = 0; i < e.size(); ++i) {
      double& weight = p.net.values()[std::size_t(e.first + i)];
      const double kept = weight, h = 1e-5;
      weight = kept + h;
      const double above = p.loss();
      weight = kept - h;
      const double below = p.loss();
      weight = kept;
      const double got = gradient.values()[std::size_t(e.first + i)];
      worst = std::fmax(worst, std::fabs(scale * (above - below) / (2 * h) - got));
      largest = std::fmax(largest, std::fabs(got));
    }
    CAPTURE(e.name);
    CHECK(largest > 1e-3);
  }
  // Central differences err by h²/6 times a third derivative, here in the hundreds, and eps / h.
  CHECK(worst < 1e-7);
}

TEST_CASE("gradients add up: two halves of a batch make the whole") {
  const problem p;
  gpt_network<double> model(tiny);
  gpt_parameters<double> whole(tiny), halves(tiny);
  (void)model.run(p.net, p.tokens, p.targets, sequence, 0.125, &whole);
  const std::span<const std::uint16_t> x(p.tokens), y(p.targets);
  for (const std::size_t at : {0u, 4u})
    (void)model.run(p.net, x.subspan(at, 4), y.subspan(at, 4), sequence, 0.125, &halves);
  CHECK((whole.flat() - halves.flat()).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("initial weights: the seed's, of GPT-2's deviations") {
  const gpt_shape s{16, 64, 64, 2, 4, 64};
  gpt_parameters<float> a(s), b(s), c(s);
  initialise(a, 1);
  initialise(b, 1);
  initialise(c, 2);
  CHECK(a.values() == b.values());
  CHECK(a.values() != c.values());
  const auto deviation = [&](gpt_tensor t) {
    return double(a.matrix(t).norm()) / std::sqrt(double(a.matrix(t).size()));
  };
  CHECK(deviation(gpt_tensor::fcw) == doctest::Approx(0.02).epsilon(0.03));
  CHECK(deviation(gpt_tensor::fcprojw) == doctest::Approx(0.01).epsilon(0.03));
  CHECK(a.vector(gpt_tensor::ln1w).minCoeff() == 1);
  CHECK(a.vector(gpt_tensor::fcb).cwiseAbs().maxCoeff() == 0);
}

TEST_CASE("an optimizer sees every matrix by itself, in place") {
  const gpt_shape s{16, 10, 12, 2, 4, 8};
  gpt_parameters<float> net(s), gradient(s);
  const auto all = parameters_of(net, gradient);
  CHECK(all.size() == 2 + 4 * 2 + 10);
  index_t elements = 0;
  for (const auto& p : all) elements += p.weight.storage.size();
  CHECK(elements == static_cast<index_t>(net.values().size()));
  const auto qkv =
      std::find_if(all.begin(), all.end(), [](const auto& p) { return p.name == "qkvw.1"; });
  REQUIRE(qkv != all.end());
  CHECK(qkv->weight.rows() == 24);
  CHECK(qkv->weight.cols() == 8);
  CHECK(qkv->blocks.size() == 3);
  CHECK(qkv->weight.storage.data() == net.data(gpt_tensor::qkvw, 1));
  CHECK(qkv->gradient.storage.data() == gradient.data(gpt_tensor::qkvw, 1));
}
