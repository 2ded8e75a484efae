// What may be typed. Internal to cli.cc and cli_judge.cc.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/statusor.h"
#include "starctl/commands.h"
#include "starctl/session.h"

namespace starratings::starctl {

using Outcome = absl::StatusOr<ExitCode>;

// The parser, the options it fills, and the command that was chosen.
class CommandLine {
 public:
  CommandLine();

  CLI::App& app() { return app_; }
  const GlobalOptions& globals() const { return globals_; }
  Outcome Run(Session& session) const { return run_(session); }

 private:
  // A command that calls `function` with `options`.
  template <typename Function, typename Options>
  CLI::App* Add(CLI::App* parent, const std::string& name, const std::string& what,
                Function function, const Options& options) {
    CLI::App* const command = parent->add_subcommand(name, what);
    command->callback([this, function, &options] {
      run_ = [function, &options](Session& session) { return function(session, options); };
    });
    return command;
  }

  CLI::App* Group(const std::string& name, const std::string& what) {
    CLI::App* const group = app_.add_subcommand(name, what);
    group->require_subcommand(1);
    return group;
  }

  // A flag that may be given several times, with one value each.
  static void AddList(CLI::App* command, const std::string& flag, std::vector<std::string>& values,
                      const std::string& what);

  static void AddInput(CLI::App* command, FileOptions& input);

  static void AddPatience(CLI::App* command, int& seconds);

  void AddGlobals();
  void AddStore();
  void AddPasswordFile(CLI::App* command);
  void AddStoreCare(CLI::App* store);
  void AddRegister();
  void AddImport();
  void AddRounds();

  template <typename Function>
  CLI::App* AddAct(const std::string& name, const std::string& what, Function function);

  void AddRoundActs();

  // What to rate an organisation by, outside a round.
  static void AddByScheme(CLI::App* command, BySchemeOptions& by);

  void AddRating();

  static void AddSubject(CLI::App* command, BySchemeOptions& by, bool required);

  void AddAnalysis();
  void AddSimulate();
  void AddCompare();
  void AddRoundFiles();
  void AddReading();

  // Which items, of a stream of them.
  template <typename Options>
  static void AddFilter(CLI::App* command, Options& options) {
    AddList(command, "--organisation", options.organisations, "Only of this one. Repeatable.");
    command->add_option("--period", options.period, "Only of this period.");
    AddList(command, "--code", options.codes, "Only this code. Repeatable.");
  }

  void AddProvenance();
  void AddWatch();
  void AddWatched(CLI::App* command);
  void AddSchemes();

  CLI::App app_;
  GlobalOptions globals_;
  std::function<Outcome(Session&)> run_;
  CLI::App* rounds_ = nullptr;

  StoreOptions store_care_;
  std::string round_;
  std::string path_;
  RegisterOptions register_;
  ImportOptions import_;
  CreateRoundOptions create_;
  RoundActOptions act_;
  CheckRoundOptions check_;
  RateOptions rate_;
  AddUpOptions add_up_;
  BySchemeOptions explain_;
  ImproveOptions improve_;
  RobustnessOptions robustness_;
  SimulateOptions simulate_;
  CompareOptions compare_;
  ApproveSchemeOptions approve_;
  SchemeDiffOptions scheme_diff_;
  ExportRoundOptions export_round_;
  RecomputeOptions recompute_;
  RatingsOptions ratings_;
  DossierOptions dossier_;
  HistoryOptions history_;
  DiffOptions diff_;
  WatchOptions watch_;
  DevCertsOptions dev_certs_;
};

}  // namespace starratings::starctl
