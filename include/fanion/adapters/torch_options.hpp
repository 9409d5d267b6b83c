/// @file  What a parameter group of the LibTorch optimizer is told: a rate, a ball, and who moves
/// what.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/core/archive.hpp>
#include <fanion/norms/parse.hpp>
#include <fanion/optim/any_step.hpp>
#include <fanion/optim/parameters.hpp>

#include <torch/arg.h>
#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>
#include <torch/types.h>

#include <cstring>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

/// Names with capitals follow LibTorch, whose classes they stand beside.
namespace fanion::torch_optim {

/// The rule of what no oracle moves.
using others_rule = std::variant<adamw, sgd, lion>;

namespace detail {

[[nodiscard]] inline at::Tensor to_tensor(const std::string& bytes) {
  at::Tensor t = at::empty({static_cast<std::int64_t>(bytes.size())}, at::kByte);
  std::memcpy(t.data_ptr(), bytes.data(), bytes.size());
  return t;
}

/// @throws std::invalid_argument where there is no such entry.
[[nodiscard]] inline c10::IValue entry(torch::serialize::InputArchive& archive,
                                       const std::string& key) {
  c10::IValue value;
  if (!archive.try_read(key, value))
    throw std::invalid_argument("checkpoint: expected an entry " + key + ", found none");
  return value;
}
[[nodiscard]] inline std::string bytes_entry(torch::serialize::InputArchive& archive,
                                             const std::string& key) {
  const at::Tensor t = entry(archive, key).toTensor().to(at::kCPU).contiguous();
  return {static_cast<const char*>(t.data_ptr()), static_cast<std::size_t>(t.nbytes())};
}

/// @throws std::invalid_argument unless what a checkpoint holds is what is here.
inline void expect_entry(const std::string& what, const std::string& expected,
                         const std::string& found) {
  if (expected != found)
    throw std::invalid_argument("checkpoint: " + what + ": expected " + expected + ", found " +
                                found);
}

/// A setting of any type that options have, to an archive and back.
struct setting_writer {
  archive_writer out;

  template <class V>
  void operator()(const V& value) {
    if constexpr (std::is_enum_v<V>)
      out.write(static_cast<std::int64_t>(value));
    else
      out.write(value);
  }
  template <class V>
  void operator()(const std::optional<V>& value) {
    out.write(static_cast<std::uint8_t>(value.has_value()));
    if (value) (*this)(*value);
  }
};
struct setting_reader {
  archive_reader in;

  template <class V>
  void operator()(V& value) {
    if constexpr (std::is_enum_v<V>)
      value = static_cast<V>(in.read<std::int64_t>());
    else
      value = in.read<V>();
  }
  void operator()(std::string& value) { value = in.read_text(); }
  template <class V>
  void operator()(std::optional<V>& value) {
    value.reset();
    if (in.read<std::uint8_t>() != 0) (*this)(value.emplace());
  }
};

/// A rule that has no other form than its own type.
struct own_rule {
  any_rule<float, eigen_backend> narrow;
  any_rule<double, eigen_backend> wide;
};

}  // namespace detail

/// Options of a parameter group. Matrices and convolution kernels move along the oracle of `norm`,
/// everything else by `others`.
///
///   LmoOptions(1e-3).norm("dual(ky_fan(8))").momentum({.beta = 0.9}).weight_decay(0.1)
///
/// Steps of matrices are scaled to entries as large as AdamW's, so that its rates carry over and
/// one rate serves both. Where a setter is given what makes no sense, it throws, or the next step
/// does before it changes anything.
class LmoOptions : public torch::optim::OptimizerCloneableOptions<LmoOptions> {
 public:
  /// Implicit, as in LibTorch: a rate is options enough.
  LmoOptions(double lr = 1e-3) : lr_(lr) {}  // NOLINT(google-explicit-constructor)

  TORCH_ARG(double, lr);
  /// How the oracle is used over time: momentum, decay, scaling, form, gap, seed.
  TORCH_ARG(lmo_options, oracle) = {.scaling = shape_scaling::adamw};
  TORCH_ARG(others_rule, others) = adamw{};
  /// Multiplies lr for what `others` moves.
  TORCH_ARG(double, others_rate) = 1;
  /// What the parameters of the group do in the model. Unset: their shape says, and all that is a
  /// matrix is taken for hidden. Embeddings and heads want a group of their own.
  TORCH_ARG(std::optional<parameter_kind>, kind) = std::nullopt;
  /// The user's word above kind and shape.
  TORCH_ARG(std::optional<fanion::treatment>, treatment) = std::nullopt;
  /// Equal matrices that every parameter is a stack of, each with an oracle of its own: 3 for a
  /// fused query, key and value, 4 for the gates of an LSTM.
  TORCH_ARG(index_t, split) = 1;

 public:
  /// The ball, as parse_norm reads it. @throws std::invalid_argument for a text that is no norm, or
  /// a norm whose ball has no oracle.
  LmoOptions& norm(std::string text) {
    (void)as_ball(parse_norm(text));
    norm_ = std::move(text);
    own_ = nullptr;
    return *this;
  }
  /// Empty for a rule of its own type.
  [[nodiscard]] const std::string& norm() const noexcept { return norm_; }

  /// The norm and the options of a rule: rule(f_muon(0.5)).
  template <LmoTractable N>
  LmoOptions& rule(const lmo_rule<N>& r) {
    check(r.options);
    oracle_ = r.options;
    const std::string text = describe(r.norm);
    if (reads_back(text)) return norm(text);
    return take(detail::own_rule{r, r});
  }
  /// A rule with a step of its own: rule(dion{.rank = 8}). It is not to be had from text, so a
  /// checkpoint with it loads only into options with the same rule.
  template <class R>
  requires MatrixRule<R, float, eigen_backend> LmoOptions& rule(const R& r) {
    return take(detail::own_rule{r, r});
  }

  LmoOptions& momentum(const fanion::momentum& m) {
    oracle_.momentum = m;
    return *this;
  }
  /// Of all parameters of the group: sets the oracle's and that of `others`, so it comes after
  /// them.
  LmoOptions& weight_decay(double decay) {
    oracle_.decay = decay;
    std::visit([decay](auto& r) { r.decay = decay; }, others_);
    return *this;
  }
  LmoOptions& scaling(shape_scaling s) {
    oracle_.scaling = s;
    return *this;
  }
  /// The share of the best decrease that an oracle's answer may miss.
  LmoOptions& gap(double g) {
    oracle_.gap = g;
    return *this;
  }
  LmoOptions& seed(std::uint64_t s) {
    oracle_.seed = s;
    return *this;
  }

  double get_lr() const override { return lr_; }
  void set_lr(const double lr) override { lr_ = lr; }

  /// Whether a parameter of that shape goes to the oracle.
  [[nodiscard]] bool has_oracle(index_t rows, index_t cols) const {
    const auto usual = usual_treatment(kind_.value_or(parameter_kind::hidden), rows, cols);
    return treatment_.value_or(usual) == treatment::matrix;
  }
  template <Real T>
  [[nodiscard]] any_rule<T, eigen_backend> make_rule(bool oracle) const {
    using made = any_rule<T, eigen_backend>;
    if (!oracle) return std::visit([](const auto& r) { return made(r); }, others_);
    if constexpr (std::same_as<T, float>) {
      if (own_) return own_->narrow;
    } else {
      if (own_) return own_->wide;
    }
    return as_ball(parse_norm(norm_)).visit([&]<class N>(const N& n) {
      return made(lmo_rule<N>{n, oracle_});
    });
  }
  /// Everything that the step of a parameter depends on but the rate.
  [[nodiscard]] std::string rule_text(bool oracle) const {
    if (!oracle) return std::visit([](const auto& r) { return describe(r); }, others_);
    const std::string rule = own_ ? own_text() : "lmo(" + norm_ + "), " + describe(oracle_);
    return rule + ", split " + std::to_string(split_);
  }
  /// The part of it whose change makes a state useless: what the memory of a plan depends on.
  [[nodiscard]] std::string family(bool oracle) const {
    constexpr const char* names[] = {"adamw", "sgd", "lion"};
    if (!oracle) return names[others_.index()];
    if (own_) return rule_text(true);
    return "lmo(" + norm_ + "), gap " + (oracle_.gap ? describe(*oracle_.gap) : "unset") +
           ", seed " + std::to_string(oracle_.seed) + ", split " + std::to_string(split_);
  }

  /// @throws std::invalid_argument for options that no step can be made with.
  void validate() const {
    (void)expects_coefficient(lr_, "LmoOptions: lr");
    (void)expects_coefficient(others_rate_, "LmoOptions: others_rate");
    (void)expects_at_least(split_, 1, "LmoOptions: split");
    check(oracle_);
    std::visit([](const auto& r) { check(r); }, others_);
    if (oracle_.form == step_form::constrained)
      (void)expects_fraction(lr_, "LmoOptions: lr of the constrained form");
  }

  void serialize(torch::serialize::OutputArchive& archive) const override {
    std::ostringstream bytes;
    detail::setting_writer write{archive_writer(bytes)};
    write(own_text());
    write(static_cast<std::int64_t>(others_.index()));
    each_setting(*this, write);
    archive.write("fanion_options", detail::to_tensor(bytes.str()));
  }
  /// Everything comes from the archive, but a rule of its own type, which has to be there already.
  /// @throws std::invalid_argument where it is another, or the options make no sense; nothing is
  /// changed then.
  void serialize(torch::serialize::InputArchive& archive) override {
    std::istringstream bytes(detail::bytes_entry(archive, "fanion_options"));
    detail::setting_reader read{archive_reader(bytes)};
    LmoOptions fresh;
    std::string own;
    read(own);
    if (!own.empty() && own != own_text())
      throw std::invalid_argument("checkpoint: expected options with the rule " + own + ", found " +
                                  (own_ ? own_text() : "the norm " + norm_));
    if (!own.empty()) fresh.own_ = own_;
    std::int64_t others = 0;
    read(others);
    if (others == 1) fresh.others_ = sgd{};
    if (others == 2) fresh.others_ = lion{};
    each_setting(fresh, read);
    fresh.validate();
    if (own.empty()) (void)as_ball(parse_norm(fresh.norm_));
    *this = fresh;
  }

 private:
  LmoOptions& take(detail::own_rule r) {
    own_ = std::make_shared<const detail::own_rule>(std::move(r));
    norm_.clear();
    return *this;
  }
  [[nodiscard]] std::string own_text() const { return own_ ? own_->wide.text() : std::string(); }
  [[nodiscard]] static bool reads_back(const std::string& text) {
    try {
      return describe(parse_norm(text)) == text;
    } catch (const std::invalid_argument&) {
      return false;
    }
  }

  /// f(setting) for each, in the order of the archive.
  template <class Self, class F>
  static void each_setting(Self& s, F& f) {
    f(s.lr_), f(s.norm_), f(s.others_rate_), f(s.kind_), f(s.treatment_), f(s.split_);
    auto& o = s.oracle_;
    const auto momentum_of = [&f](auto& m) { f(m.beta), f(m.accumulation), f(m.lookahead); };
    momentum_of(o.momentum);
    f(o.decay), f(o.scaling), f(o.form), f(o.radius), f(o.penalty), f(o.l0), f(o.l1), f(o.gap),
        f(o.seed);
    std::visit(
        [&]<class R>(R& r) {
          f(r.decay);
          if constexpr (std::same_as<std::remove_const_t<R>, sgd>) {
            momentum_of(r.momentum);
          } else {
            f(r.beta1), f(r.beta2);
            if constexpr (std::same_as<std::remove_const_t<R>, adamw>) f(r.eps);
          }
        },
        s.others_);
  }

  std::string norm_ = "spectral()";
  std::shared_ptr<const detail::own_rule> own_;
};

}  // namespace fanion::torch_optim
