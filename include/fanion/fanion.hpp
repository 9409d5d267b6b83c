/// @file  The norms, their calculus and the oracles, without a matrix library: for views over
/// memory of your own. Most users include <fanion/eigen.hpp>.
#pragma once

#include <fanion/backend/eigen.hpp>
#include <fanion/core/version.hpp>
#include <fanion/norms/calculus.hpp>
#include <fanion/norms/capabilities.hpp>
#include <fanion/norms/describe.hpp>
#include <fanion/norms/entrywise.hpp>
#include <fanion/norms/frobenius.hpp>
#include <fanion/norms/ky_fan.hpp>
#include <fanion/norms/ordered.hpp>
#include <fanion/norms/owl.hpp>
#include <fanion/norms/pairs.hpp>
#include <fanion/norms/ratio.hpp>
#include <fanion/norms/rescaled.hpp>
#include <fanion/norms/rms.hpp>
#include <fanion/norms/rowwise.hpp>
#include <fanion/norms/schatten.hpp>
#include <fanion/norms/spectral_maps.hpp>
#include <fanion/norms/spectral_nuclear.hpp>
#include <fanion/optim/frank_wolfe.hpp>
#include <fanion/optim/frank_wolfe_factors.hpp>
#include <fanion/optim/low_rank.hpp>
#include <fanion/optim/makers.hpp>
#include <fanion/optim/optimizer.hpp>
#include <fanion/optim/parameters.hpp>
#include <fanion/optim/schedule.hpp>
#include <fanion/oracles/batch.hpp>
#include <fanion/oracles/evaluate.hpp>
#include <fanion/oracles/factors.hpp>
#include <fanion/oracles/layers.hpp>
#include <fanion/oracles/lmo.hpp>
#include <fanion/oracles/plan.hpp>
#include <fanion/oracles/spectral_map.hpp>
