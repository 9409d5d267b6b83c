/// @file  An optimizer for parameters that are memory: the update loop of a trainer in C or C++.
///
///   buffer_optimizer<float> opt(muon(), adamw{});
///   opt.add(buffer<float>{.name = "qkvw", .data = p.qkvw, .gradient = g.qkvw,
///                         .shape = {L, 3 * C, C}});
///   …
///   for (…) { …; opt.step(rate); }
#pragma once

#include <fanion/adapters/buffers.hpp>
#include <fanion/optim/master_weights.hpp>
#include <fanion/optim/optimizer.hpp>

#include <algorithm>
#include <istream>
#include <ostream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fanion {

namespace detail {

/// Reduced weights of the caller's, and their master; `at` is the place in the report.
template <class Low, class G>
struct kept_master {
  std::size_t at;
  master_weights<Low> master;
  oriented_view<Low> weight;
  oriented_view<const G> gradient;
};
using any_kept_master = std::variant<kept_master<bfloat16, bfloat16>, kept_master<bfloat16, float>,
                                     kept_master<float16, float16>, kept_master<float16, float>>;

}  // namespace detail

/// `optimizer` for buffers. Computes in T; weights in T are stepped where they lie, and those in
/// bfloat16 or half, for T = float, through a float master that is part of the state.
///
/// The matrices of a stack are parameters of their own, each with its own momentum, its own warm
/// start and its own line in the report, and are dealt to the workers as `optimizer` deals all
/// parameters. That is a batch in all but the call: members cost the same, so each worker gets its
/// even share of them and no two share anything that changes. lmo_batch_plan would give the same
/// answers from a plan for each member, but wants every momentum complete before the first read,
/// where a step of its own updates it in the oracle's first read; and its threads, OpenMP's, would
/// wait for the slowest member of one shape before the next shape began.
template <Real T = float>
class buffer_optimizer {
 public:
  using rule_type = typename optimizer<T>::rule_type;

  /// @throws std::invalid_argument for threads < 1.
  buffer_optimizer(rule_type matrices, rule_type others, index_t threads = 1)
      : opt_(std::move(matrices), std::move(others), threads) {}

  /// Allocates the state of each matrix of the buffer. Its memory must outlive the optimizer; it is
  /// not read before the first step. `rates` multiplies the rate of every step.
  /// @throws std::invalid_argument naming the buffer: as matrices_of, for a name already taken, or
  /// a shape that the rule refuses; nothing is added then.
  template <class E, class G>
  void add(const buffer<E, G>& b, double rates = 1) {
    enter(b, rates);
  }
  /// The user's word above the kind's.
  template <class E, class G>
  void add(const buffer<E, G>& b, treatment chosen, double rates = 1) {
    enter(b, chosen, rates);
  }
  /// Under a rule of its own.
  template <class E, class G>
  void add(const buffer<E, G>& b, const rule_type& rule, double rates = 1) {
    enter(b, rule, rates);
  }

  /// The matrices: members of stacks are counted one by one.
  [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
  /// Their names, in the order of the report.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

  /// As optimizer::step. Reduced weights are widened before and rounded after it, on the calling
  /// thread: a read of weight and gradient and a write of the weight more.
  const optimizer_report& step(double rate) {
    for_each_kept(kept_, [](auto& k) { k.master.open(k.weight, k.gradient); });
    try {
      const optimizer_report& report = opt_.step(rate);
      for_each_kept(kept_, [&](auto& k) {
        if (!report.parameters[k.at].skipped) k.master.close(k.weight);
      });
      return report;
    } catch (...) {
      // Some may have moved, and their momenta know; the others round to the bits they have.
      for_each_kept(kept_, [](auto& k) { k.master.close(k.weight); });
      throw;
    }
  }

  /// State is keyed by the names of the matrices and holds no weights but the masters of reduced
  /// ones, which are taken up again where the weights still are those masters, rounded.
  void save(std::ostream& out) const {
    archive_writer archive(out);
    archive.write(std::string(format));
    archive.write(static_cast<std::uint64_t>(kept_.size()));
    for_each_kept(kept_, [&](const auto& k) {
      std::ostringstream state;
      archive_writer inner(state);
      k.master.save(inner);
      archive.write(names_[k.at]);
      archive.write(state.str());
    });
    opt_.save(out);
  }
  /// @throws std::invalid_argument where a matrix is missing, unknown, or of another shape, storage
  /// order, element or rule, or the data ends early; nothing is changed then.
  void load(std::istream& in) {
    archive_reader archive(in);
    expect_text(archive, format);
    auto fresh = kept_;
    std::vector<bool> found(kept_.size(), false);
    const auto count = archive.read<std::uint64_t>();
    for (std::uint64_t n = 0; n < count; ++n) {
      const std::string name = archive.read_text();
      std::istringstream state(archive.read_text(std::uint64_t(1) << 40));
      found[read_master(fresh, name, state)] = true;
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      if (!found[i])
        throw std::invalid_argument("checkpoint: missing master weights: expected " +
                                    name_of(kept_[i]) + ", found no such name");
    opt_.load(in);
    for (std::size_t i = 0; i < kept_.size(); ++i)
      std::visit([&]<class K>(K& k) { k.master.adopt(std::get<K>(fresh[i]).master); }, kept_[i]);
  }

 private:
  static constexpr const char* format = "fanion buffers 1";

  template <class All, class F>
  static void for_each_kept(All& all, F&& f) {
    for (auto& k : all) std::visit(f, k);
  }
  [[nodiscard]] const std::string& name_of(const detail::any_kept_master& k) const {
    return names_[std::visit([](const auto& x) { return x.at; }, k)];
  }

  /// Reads the master of that name and returns its place.
  std::size_t read_master(std::vector<detail::any_kept_master>& all, const std::string& name,
                          std::istream& state) const {
    std::string known;
    for (std::size_t i = 0; i < all.size(); ++i) {
      known += (i == 0 ? "" : ", ") + name_of(all[i]);
      if (name_of(all[i]) != name) continue;
      try {
        archive_reader inner(state);
        std::visit([&](auto& k) { k.master.load(inner); }, all[i]);
      } catch (const std::invalid_argument& e) {
        throw std::invalid_argument("checkpoint: parameter " + name + ": " + e.what());
      }
      return i;
    }
    throw std::invalid_argument("checkpoint: extra master weights: expected " +
                                (known.empty() ? "none" : known) + ", found " + name);
  }

  /// `how`: what optimizer::add takes after the parameter.
  template <class E, class G, class... How>
  void enter(const buffer<E, G>& b, const How&... how) {
    static_assert(std::same_as<E, T> || (Reduced<E> && std::same_as<T, float>),
                  "weights are of the optimizer's scalar, or reduced ones of a float optimizer");
    auto all = matrices_of(b);
    for (const auto& x : all)
      if (std::find(names_.begin(), names_.end(), x.name) != names_.end())
        refuse(("buffer " + b.name + ": name").c_str(), "new", x.name);
    names_.reserve(names_.size() + all.size());  // so that nothing throws between the two
    if constexpr (Reduced<E>) kept_.reserve(kept_.size() + all.size());
    for (auto& x : all) {
      try {
        if constexpr (Reduced<E>) {
          detail::kept_master<E, G> k{names_.size(), master_weights<E>(x.weight), x.weight,
                                      x.gradient};
          opt_.add(make_parameter(x.name, k.master.weight(), k.master.gradient(), b.kind, b.blocks),
                   how...);
          kept_.emplace_back(std::move(k));
        } else {
          opt_.add(make_parameter(x.name, x.weight, x.gradient, b.kind, b.blocks), how...);
        }
      } catch (const std::invalid_argument& e) {
        throw std::invalid_argument("buffer " + b.name + ": " + e.what());
      }
      names_.push_back(std::move(x.name));
    }
  }

  optimizer<T> opt_;
  std::vector<std::string> names_;
  std::vector<detail::any_kept_master> kept_;
};

}  // namespace fanion
