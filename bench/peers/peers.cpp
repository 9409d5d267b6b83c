/// Our solvers and those of other libraries on the same matrices, in one process and in turn.
///
///   fanion_peers [--quick | --long] [--only TEXT] [--solver TEXT]... [--momenta FILE] --out FILE
///
/// Three questions: the vectors (err_1 <= 1e-2), the value (gap <= 1e-2, once as it is and once as
/// it is certified), and the polar factor (gap <= 1e-3 in float, 1e-10 in double, on one thread and
/// on two). Every contender looks for its fastest setting that reaches the question's limit, and
/// those settings run in turn, with another start each round. The result is a JSON that page.py
/// turns into docs/benchmarks.md; bench/peers/run.sh does all of it.
#include "contest.hpp"
#include "found_peers.hpp"
#include "matrices.hpp"
#include "ours.hpp"
#include "record.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace peers;

struct options {
  bool quick = false;
  bool everything = false;
  std::string only, momenta, out;
  std::vector<std::string> solvers;
};

/// The threads of leading questions. Polar factors have one, and these beside it.
constexpr int threads = 2;

class comparison {
 public:
  explicit comparison(options o) : options_(std::move(o)), found_(found_peers()) {
    if (options_.quick) limits_ = {.run = 2e3, .search = 2e3, .rounds = 0, .least_rounds = 1};
  }

  json run() {
    if (options_.quick) {
      leading("Gaussian", gaussian(160, 120), {3}, true);
      leading("decaying", with_spectrum(100, 80, decaying(80)), {4}, false);
      polar("Gaussian", gaussian(96, 192));
      polar_entries("Gaussian", gaussian(96, 96));
    } else {
      small_and_middling();
      large();
    }
    return {{"machine", machine()}, {"problems", problems_}};
  }

 private:
  void small_and_middling() {
    leading("Gaussian", gaussian(500, 500), {5, 50}, true);
    leading("decaying", with_spectrum(1000, 800, decaying(800)), {10}, false);
    leading("clustered", with_spectrum(1000, 800, clustered(800)), {5}, false);
    leading("rank 20", with_spectrum(1000, 800, rank_deficient()), {20}, false);
    for (const index_t n : {768, 3072, 2304}) {
      leading("Gaussian", gaussian(768, n), {8}, false);
      polar("Gaussian", gaussian(768, n));
    }
    polar("Gaussian", gaussian(500, 500));
    polar_entries("Gaussian", gaussian(500, 500));
    if (!options_.momenta.empty()) {
      const Eigen::MatrixXd m = momentum(options_.momenta);
      leading("momentum", m, {8}, false);
      polar("momentum", m);
    }
  }

  void large() {
    const Eigen::MatrixXd a = gaussian(5000, 5000);
    leading("Gaussian", a, {1, 5, 10}, true);
    limits_.run = options_.everything ? 600e3 : 60e3;
    limits_.search = options_.everything ? 600e3 : 40e3;
    leading("Gaussian", a, {100}, options_.everything);
    if (options_.everything) polar_entries("Gaussian", a);
  }

  [[nodiscard]] bool wanted(const std::string& matrix, const Eigen::MatrixXd& a,
                            const std::string& rest) const {
    const std::string name =
        matrix + "/" + std::to_string(a.rows()) + "x" + std::to_string(a.cols()) + "/" + rest;
    return name.find(options_.only) != std::string::npos;
  }

  /// Every question about leading parts of one matrix. The seeds' baselines, which need thousands
  /// of products where the spectrum is flat, take part where they are asked for.
  void leading(const std::string& matrix, const Eigen::MatrixXd& a, std::vector<index_t> ks,
               bool baselines) {
    std::erase_if(ks, [&](index_t k) { return !wanted(matrix, a, "k=" + std::to_string(k)); });
    if (ks.empty()) return;
    const Eigen::MatrixXf narrow = a.cast<float>();
    const truth exact = leading_truth(a, narrow, *std::max_element(ks.begin(), ks.end()) + 11);
    for (const index_t k : ks) {
      const question q{a, narrow, k};
      const auto errors = [&, k](const answer& got) { return errors_of(got, exact, a, k); };
      const auto rate = [&, k](index_t b) {
        const double next = b < exact.sigma.size() ? exact.sigma(b) : 0;
        return next > 0 ? 2 * std::log(exact.sigma(k - 1) / next) : 1.0;
      };
      const index_t r = std::min(a.rows(), a.cols());
      const bool full = r <= 1000 || options_.everything;
      contenders all = ours::leading<double>(k, threads);
      append(all, ours::leading<float>(k, threads));
      for (const peer& p : found_)
        if (p.leading && (full || !p.full_only)) append(all, p.leading(r, k));
      if (baselines) append(all, ours::baselines(k, threads));
      known_.clear();
      add("vectors", matrix, exact, {q, {target::kind::err1, 1e-2}, errors, rate}, all);
      // At such depths the vectors alone take minutes.
      if (k >= 100 && !options_.everything) continue;

      contenders values = ours::value<double>(k, threads);
      append(values, ours::value<float>(k, threads));
      add("certified value", matrix, exact, {q, {target::kind::certified, 1e-2}, errors, rate},
          values);
      for (const peer& p : found_)
        if (p.leading && !p.full_only) append(values, p.leading(r, k));
      if (baselines) append(values, ours::baselines(k, threads));
      add("value", matrix, exact, {q, {target::kind::gap, 1e-2}, errors, rate}, values);
    }
  }

  void polar(const std::string& matrix, const Eigen::MatrixXd& a) {
    if (!wanted(matrix, a, "polar")) return;
    const Eigen::MatrixXf narrow = a.cast<float>();
    use_threads(threads);
    const truth exact = full_truth(a, narrow);
    known_.clear();
    for (const auto& [scalar, gap] :
         {std::pair<std::string, double>{"float", 1e-3}, {"double", 1e-10}}) {
      const question q{a, narrow, std::min(a.rows(), a.cols())};
      const auto errors = [&](const answer& got) {
        if (got.polar.size() > 0) return errors_of_polar(got, exact, a);
        answer formed;
        formed.polar = got.u * got.v.transpose();
        return errors_of_polar(formed, exact, a);
      };
      contenders all;
      for (const int count : {1, threads}) {
        append(all, scalar == "float" ? ours::polar<float>(gap, count)
                                      : ours::polar<double>(gap, count));
        for (const peer& p : found_)
          if (p.polar) append(all, p.polar(scalar, count));
      }
      add("polar " + scalar, matrix, exact, {q, {target::kind::gap, gap}, errors}, all);
    }
  }

  /// The drafts' question about polar factors: err_1.
  void polar_entries(const std::string& matrix, const Eigen::MatrixXd& a) {
    if (!wanted(matrix, a, "polar")) return;
    const Eigen::MatrixXf narrow = a.cast<float>();
    use_threads(threads);
    const truth exact = full_truth(a, narrow);
    const auto errors = [&](const answer& got) { return errors_of_polar(got, exact, a); };
    known_.clear();
    add("polar err_1", matrix, exact,
        {{a, narrow, std::min(a.rows(), a.cols())}, {target::kind::err1, 1e-2}, errors},
        ours::polar_entries(1));
  }

  void add(const std::string& what, const std::string& matrix, const truth& exact, const problem& p,
           contenders all) {
    std::erase_if(all, [&](const contender& c) {
      return !options_.solvers.empty() &&
             std::none_of(options_.solvers.begin(), options_.solvers.end(),
                          [&](const auto& s) { return c.name.find(s) != std::string::npos; });
    });
    const index_t m = p.asked.a.rows(), n = p.asked.a.cols();
    std::clog << what << ", " << matrix << " " << m << "x" << n << ", k = " << p.asked.k << '\n';
    contest c(
        p, limits_, [this](int count) { use_threads(count); }, known_);
    const double last = exact.sigma(p.asked.k - 1);
    problems_.push_back(
        {{"question", what},
         {"matrix", matrix},
         {"rows", m},
         {"cols", n},
         {"k", p.asked.k},
         {"target", record(p.goal)},
         {"truth",
          {{"residual", exact.residual},
           {"cross_check", exact.cross_check},
           {"separation",
            p.asked.k < exact.sigma.size() ? 1 - exact.sigma(p.asked.k) / last : unknown}}},
         {"entries", record(c.rows(all))}});
  }

  /// The first peer that answers so: with a full decomposition, or with leading triplets.
  [[nodiscard]] const peer* tight(bool full) const {
    const auto found = std::find_if(found_.begin(), found_.end(), [full](const peer& p) {
      return p.tight != nullptr && p.full_only == full;
    });
    return found == found_.end() ? nullptr : &*found;
  }

  [[nodiscard]] static truth checked(const answer& got, const Eigen::MatrixXd& a) {
    truth t{got.u, got.v, got.sigma};
    t.residual = residual_of(t, a);
    return t;
  }

  [[nodiscard]] truth full_truth(const Eigen::MatrixXd& a, const Eigen::MatrixXf& narrow) const {
    return checked(tight(true)->tight({a, narrow, 0}), a);
  }

  /// Of a small matrix every triplet; of a large one the leading `count` by a peer, checked against
  /// our Lanczos, or by that alone.
  [[nodiscard]] truth leading_truth(const Eigen::MatrixXd& a, const Eigen::MatrixXf& narrow,
                                    index_t count) const {
    use_threads(threads);
    if (std::min(a.rows(), a.cols()) <= 1000) return full_truth(a, narrow);
    const question q{a, narrow, count};
    const answer ours = ours::run<double>(fanion::lanczos{.gap = 1e-10}, q,
                                          {.depth = count, .polar = false}, threads, 0);
    const peer* other = tight(false);
    const answer got = other == nullptr ? ours : other->tight(q);
    truth t = checked(got, a);
    if (other != nullptr) t.cross_check = errors_of(ours, t, a, count - 1).err1;
    std::clog << "reference: " << got.milliseconds << " ms, residual " << t.residual
              << ", cross-check " << t.cross_check << " after " << ours.milliseconds << " ms\n";
    return t;
  }

  void use_threads(int count) const {
    for (const peer& p : found_)
      if (p.use_threads) p.use_threads(count);
  }

  [[nodiscard]] json machine() const {
    std::string line, processor = "unknown";
    std::ifstream cpu("/proc/cpuinfo");
    while (std::getline(cpu, line))
      if (line.starts_with("model name")) processor = line.substr(line.find(':') + 2);
    json versions = json::object();
    for (const peer& p : found_)
      if (!p.name.empty()) versions[p.name] = p.version;
    return {{"processor", processor},    {"cores", std::thread::hardware_concurrency()},
            {"threads", threads},        {"compiler", compiler()},
            {"flags", compiler_flags()}, {"seed", matrix_seed},
            {"quick", options_.quick},   {"long", options_.everything},
            {"versions", versions}};
  }

  options options_;
  std::vector<peer> found_;
  patience limits_;
  std::map<std::string, sample> known_;
  json problems_ = json::array();
};

}  // namespace

int main(int argc, char** argv) {
  options o;
  if (const char* path = std::getenv("FANION_MOMENTA")) o.momenta = path;
  CLI::App app("Our solvers and those of other libraries on the same matrices");
  app.add_flag("--quick", o.quick, "tiny matrices, one round: does it all work?");
  app.add_flag("--long", o.everything, "full decompositions and baselines at 5000 x 5000 too");
  app.add_option("--only", o.only, "only problems whose name has this in it");
  app.add_option("--solver", o.solvers, "only solvers whose name has one of these in it");
  app.add_option("--momenta", o.momenta, "momenta that `mlp --record` wrote (FANION_MOMENTA)");
  app.add_option("--out", o.out, "the JSON to write")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    const json result = comparison(o).run();
    std::ofstream out(o.out);
    out << result.dump(1) << '\n';
    if (!out) throw std::runtime_error(o.out + ": cannot be written");
  } catch (const std::exception& e) {
    std::cerr << "peers: " << e.what() << '\n';
    return 1;
  }
}
