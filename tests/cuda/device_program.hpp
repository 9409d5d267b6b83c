/// @file  What a machine with a device is asked, written for any backend of device memory: the
/// program for devices runs it there, a test of the gate over the double.
#pragma once

#include <fanion/fanion.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>

namespace device_program {

using namespace fanion;

/// An oracle's answer attains what it says, which is within `gap` of what the exact oracle does;
/// where `certified`, by its own certificate.
template <class T, class B, class N, class Method>
bool answers(const char* name, B& backend, const N& norm, const Method& method, double gap,
             bool certified = true) {
  const index_t m = 192, n = 320;
  const auto memory = backend.template make_workspace<T>(2 * m * n);
  const matrix_view<T, device_space> M(memory.data(), m, n), D(memory.data() + m * n, m, n);
  backend.random(M, 1);
  const double best = -plan_lmo(norm, M, exact{}, backend).execute(M, D).objective;
  auto plan = plan_lmo(norm, M, method, backend);
  const lmo_report report = plan.execute(M, D);
  const double attained = -static_cast<double>(backend.dot(M, D));
  const double scale = std::max(1.0, report.feasibility);
  const bool good = attained / scale >= (1 - gap) * best && attained / scale <= 1.001 * best &&
                    std::abs(attained + report.objective) <= 1e-3 * attained && attained > 0 &&
                    (!certified || report.gap() <= gap);
  std::printf("%-28s <M, D> = %.4f, best %.4f, gap %.1e, %td passes, %s%s\n", name, -attained,
              -best, report.gap(), report.passes, to_string(report.outcome),
              good ? "" : "   FAILED");
  return good;
}

template <class T, class B>
bool oracles(B& b) {
  bool good = true;
  good &= answers<T>("spectral, newton_schulz", b, spectral(), newton_schulz{}, 0.4);
  good &= answers<T>("spectral, polar_express", b, spectral(), polar_express{.gap = 1e-3}, 1.1e-3);
  good &= answers<T>("spectral, qdwh", b, spectral(), qdwh{.gap = 1e-4}, 1.1e-4);
  good &= answers<T>("spectral, exact", b, spectral(), exact{}, 1e-3);
  good &=
      answers<T>("dual(ky_fan(8)), krylov", b, dual(ky_fan(8)), block_krylov{.gap = 1e-2}, 1e-2);
  // Noise has no gap behind any σ, and the subspace's certificate is a poor one there.
  good &= answers<T>("dual(ky_fan(8)), automatic", b, dual(ky_fan(8)), automatic{.gap = 1e-2}, 2e-2,
                     false);
  good &= answers<T>("F-Fanion", b, dual(0.5 * ky_fan(8) + 0.5 * frobenius()),
                     automatic{.gap = 1e-2}, 2e-2, false);
  good &= answers<T>("max_abs", b, max_abs(), exact{}, 1e-3);
  return good;
}

/// Muon and AdamW down |W|²/2 + |b|²/2, stopped and resumed.
template <class T, class B>
bool training(B& backend, const oriented_view<T, device_space>& W,
              const oriented_view<T, device_space>& dW, const oriented_view<T, device_space>& b,
              const oriented_view<T, device_space>& db) {
  backend.random(W.storage, 1);
  backend.random(b.storage, 2);
  const auto enter = [&](optimizer<T, B>& opt) {
    opt.add(make_parameter<T>("W", W, dW));
    opt.add(make_parameter<T>("b", b, db, parameter_kind::bias));
  };
  optimizer<T, B> first(muon(), adamw{}, backend), second(muon(), adamw{}, backend);
  enter(first);
  enter(second);
  const double before = backend.norm(W.storage), bias_before = backend.norm(b.storage);
  for (int t = 0; t < 6; ++t) {
    backend.copy(W.storage.as_const(), dW.storage);
    backend.copy(b.storage.as_const(), db.storage);
    if (t == 3) {
      std::stringstream file;
      first.save(file);
      second.load(file);
    }
    (void)(t < 3 ? first : second).step(0.1);
  }
  const double after = backend.norm(W.storage), bias_after = backend.norm(b.storage);
  // Each step takes 0.1 of every singular value, and 0.1 of every entry.
  const double taken = 0.6 * std::sqrt(static_cast<double>(std::min(W.rows(), W.cols())));
  const double bias_taken = 0.6 * std::sqrt(static_cast<double>(b.rows()));
  const bool good = after < before - 0.8 * taken && after > before - taken &&
                    bias_after < bias_before - 0.6 * bias_taken &&
                    bias_after > bias_before - bias_taken;
  std::printf("%-28s |W| %.3f -> %.3f, |b| %.3f -> %.3f%s\n", "Muon and AdamW", before, after,
              bias_before, bias_after, good ? "" : "   FAILED");
  return good;
}

/// A step, recorded once and launched three times, down |W|²/2. Each takes between `least` and
/// `most` of its length of 0.1 off |W|.
template <class T, class B, class Rule>
bool recorded(B& backend, const char* name, const Rule& rule, double least, double most,
              double gap = 0.5) {
  const index_t m = 96, n = 160;
  const auto memory = backend.template make_workspace<T>(2 * m * n + 1);
  view_cutter<T, device_space> take(memory.data());
  const auto W = take(m, n), G = take(m, n), rate = take(1, 1);
  backend.random(W, 1);
  backend.fill(rate, T(0.1));
  auto step = make_step<T>(rule, m, n, backend);
  const auto graph = backend.capture([&] {
    backend.copy(W.as_const(), G);
    step.enqueue({W, false}, {G.as_const(), false}, rate.as_const());
  });
  const double before = backend.norm(W);
  for (int t = 0; t < 3; ++t) backend.launch(graph);
  const double after = backend.norm(W);
  const step_report report = step.report();
  const bool good = after < before - 0.3 * least && after > before - 0.3 * most &&
                    !report.skipped && report.gap < gap;
  std::printf("%-28s |W| %.3f -> %.3f, gap %.1e%s\n", name, before, after, report.gap,
              good ? "" : "   FAILED");
  return good;
}
template <class T, class B>
bool recorded(B& backend) {
  // Of sqrt(96) singular values Newton and Schulz leave between 0.68 and 1.13 each; of the signs of
  // 96 x 160 normal numbers sqrt(2/π) of their length points along W.
  bool good = recorded<T>(backend, "Muon in a graph", capturable{muon()}, 6, 11.5);
  good &= recorded<T>(backend, "F-Muon in a graph", capturable{f_muon(0.5)}, 3, 7);
  good &= recorded<T>(backend, "SignSGD in a graph", capturable{sign_sgd()}, 90, 124);
  for (const compute how : {compute::tf32, compute::float16, compute::bfloat16})
    good &= recorded<T>(backend, name_of(how), capturable{muon(), newton_schulz{.compute = how}}, 6,
                        11.5, 0.6);
  return good;
}

/// Milliseconds of one call of `put`, which puts work into the stream: the median of five times
/// `repeats` calls, each waited for at the end.
template <class B, class Put>
double milliseconds(B& backend, int repeats, const Put& put) {
  using clock = std::chrono::steady_clock;
  put();
  backend.wait();
  std::array<double, 5> all{};
  for (double& each : all) {
    const auto start = clock::now();
    for (int i = 0; i < repeats; ++i) put();
    backend.wait();
    each = std::chrono::duration<double, std::milli>(clock::now() - start).count() / repeats;
  }
  std::nth_element(all.begin(), all.begin() + 2, all.end());
  return all[2];
}

/// What steps of an m x n float matrix take, beside a product of M with its transpose: five steps
/// of Newton and Schulz are ten such products on a square matrix, and fifteen in fewer bits. Speed
/// with its accuracy: the gap that the report proves.
template <class B>
bool benches(B& backend, index_t m, index_t n, int repeats) {
  using T = float;
  const auto memory = backend.template make_workspace<T>(2 * m * n + m * m + 1);
  view_cutter<T, device_space> take(memory.data());
  const auto W = take(m, n), G = take(m, n), R = take(m, m), rate = take(1, 1);
  backend.random(W, 1);
  backend.random(G, 2);
  backend.fill(rate, T(1e-3));
  const double product = milliseconds(backend, repeats, [&] {
    backend.multiply_outer(T(1), G.as_const(), G.as_const(), T(0), R, {});
  });
  std::printf("%td x %td, float; M Mᵀ: %.3f ms, %.1f TFLOP/s\n", m, n, product,
              2e-9 * double(m) * double(m) * double(n) / product);
  bool good = true;
  const auto line = [&](const char* name, double time, double gap) {
    std::printf("%-28s %9.3f ms %8.1f products   gap %.1e\n", name, time, time / product, gap);
    good &= time > 0 && gap >= 0 && gap < 1;
  };
  const auto recorded_step = [&](const char* name, const auto& rule) {
    auto step = make_step<T>(rule, m, n, backend);
    const auto graph = backend.capture([&] {
      step.enqueue({W, false}, {G.as_const(), false}, rate.as_const());
    });
    const double time = milliseconds(backend, repeats, [&] { backend.launch(graph); });
    line(name, time, step.report().gap);
  };
  for (const compute how : {compute::full, compute::tf32, compute::float16, compute::bfloat16}) {
    const std::string name = std::string("Muon in a graph, ") + name_of(how);
    recorded_step(name.c_str(), capturable{muon(), newton_schulz{.compute = how}});
  }
  recorded_step("SignSGD in a graph", capturable{sign_sgd()});
  const auto optimized = [&](const char* name, const any_rule<T, B>& rule) {
    optimizer<T, B> opt(rule, rule, backend);
    opt.add(make_parameter<T>("W", oriented_view<T, device_space>{W, false},
                              oriented_view<const T, device_space>{G.as_const(), false}));
    double gap = 0;
    const double time =
        milliseconds(backend, repeats, [&] { gap = opt.step(1e-3).parameters.front().gap; });
    line(name, time, gap);
  };
  optimized("Muon", muon());
  optimized("AdamW", adamw{});
  return good;
}

}  // namespace device_program
