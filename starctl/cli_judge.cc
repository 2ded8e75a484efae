// The commands about ratings and schemes.
#include "starctl/command_line.h"

namespace starratings::starctl {

void CommandLine::AddByScheme(CLI::App* command, BySchemeOptions& by) {
  command->add_option("--scheme", by.scheme, "id@version, or a digest.");
  command->add_option("--period", by.period, "The period of the evidence.");
  command->add_option("--date", by.date, "YYYY-MM-DD that it is judged at.");
  command->add_option("--token", by.token, "Of the revision to read; the newest if not given.");
}

void CommandLine::AddRating() {
  CLI::App* const rate = Add(&app_, "rate",
                             "Rates a round, or one organisation; records "
                             "nothing.",
                             &Rate, rate_);
  rate->add_option("ROUND", rate_.by.round, "Its id.");
  rate->add_flag("--ratings", rate_.ratings, "Lists every rating.");
  rate->add_option("--shard", rate_.shard, "I/N: only shard I, from 0, of N of the round.");
  AddPatience(rate, rate_.retry_for_s);
  rate->add_option("--organisation", rate_.by.organisation, "Only this one.");
  AddByScheme(rate, rate_.by);
  CLI::App* const add_up =
      Add(&app_, "add-up", "Adds the shards of a round up to its digest; needs no service.",
          &AddUpRound, add_up_);
  add_up->add_option("FILE", add_up_.files, "From rate ROUND --shard I/N --output json; all N.")
      ->required();
  add_up->add_option("--digest", add_up_.digest, "The round digest that must come out.");
  CLI::App* const explain =
      Add(&app_, "explain", "Rates one organisation and gives every reason.", &Explain, explain_);
  AddSubject(explain, explain_, true);
}

void CommandLine::AddSubject(CLI::App* command, BySchemeOptions& by, bool required) {
  command
      ->add_option("ORGANISATION", by.organisation,
                   required ? "Its id." : "Its id; with a round, all of it if not given.")
      ->required(required);
  command->add_option("--round", by.round, "As in this round.");
  AddByScheme(command, by);
}

void CommandLine::AddAnalysis() {
  CLI::App* const improve = Add(&app_, "improve",
                                "Finds what would lift an organisation by a level, and what would "
                                "cost it one.",
                                &Improve, improve_);
  AddSubject(improve, improve_.by, true);
  improve->add_option("--result", improve_.result, "Only this result.");
  improve->add_flag("--losses", improve_.losses, "Also what would cost a level.");
  CLI::App* const robustness =
      Add(&app_, "robustness", "Says how likely each level is if the year were repeated.",
          &AssessRobustness, robustness_);
  AddSubject(robustness, robustness_.by, false);
  robustness->add_option("--result", robustness_.result, "This result; the first if not given.");
  robustness->add_flag("--observed", robustness_.observed,
                       "At the observed rates, as if they were certain.");
  robustness->add_flag("--bounds", robustness_.bounds,
                       "Also bounds for inputs that depend on each other.");
}

void CommandLine::AddSimulate() {
  CLI::App* const simulate = Add(&app_, "simulate",
                                 "Rates as if some evidence or thresholds were others; records "
                                 "nothing.",
                                 &Simulate, simulate_);
  AddSubject(simulate, simulate_.by, false);
  AddList(simulate, "--set", simulate_.values, "CODE=VALUE. Repeatable.");
  AddList(simulate, "--missing", simulate_.missing,
          "CODE=REASON, for example NOT_REPORTED. Repeatable.");
  AddList(simulate, "--threshold", simulate_.thresholds,
          "RULE=NUMBER, RULE=LEVEL, or RULE.INDEX=... for another condition than the first. "
          "Repeatable.");
}

void CommandLine::AddCompare() {
  CLI::App* const compare =
      Add(&app_, "compare", "Says what changed between two rounds, revisions or schemes, and why.",
          &Compare, compare_);
  compare->add_option("BEFORE", compare_.before, "The earlier round.")->required();
  compare->add_option("AFTER", compare_.after, "The later one; the same if not given.");
  compare->add_option("--before-scheme", compare_.before_scheme, "Instead of the round's.");
  compare->add_option("--after-scheme", compare_.after_scheme, "Instead of the round's.");
  compare->add_option("--before-token", compare_.before_token,
                      "Of the revision to read, instead of the round's.");
  compare->add_option("--after-token", compare_.after_token,
                      "Of the revision to read, instead of the round's.");
}

void CommandLine::AddRoundFiles() {
  CLI::App* const exported =
      Add(&app_, "export-round", "Writes a recorded round to a file that anybody can check.",
          &ExportRound, export_round_);
  exported->add_option("ROUND", export_round_.round, "Its id.")->required();
  exported->add_option("--output", export_round_.file, "The new file.")->required();
  AddPatience(exported, export_round_.retry_for_s);
  CLI::App* const recompute =
      Add(&app_, "recompute", "Makes every rating of an exported round again; needs no service.",
          &RecomputeRound, recompute_);
  recompute->add_option("FILE", recompute_.file, "From export-round.")->required();
  recompute->add_option("--digest", recompute_.digest,
                        "The round digest that it must have, as published.");
}

void CommandLine::AddSchemes() {
  CLI::App* const schemes = Group("schemes", "Published methods of rating.");
  schemes->add_subcommand("list", "Lists what rating-svc has.")->callback([this] {
    run_ = &ListSchemes;
  });
  Add(schemes, "verify", "Proves a scheme, or says what is wrong with it; needs no service.",
      &VerifyScheme, path_)
      ->add_option("FILE", path_, "scheme.textproto")
      ->required();
  Add(schemes, "test", "Runs a scheme's cases; needs no service.", &TestScheme, path_)
      ->add_option("PATH", path_, "A scheme's folder, or its cases.textproto.")
      ->required();
  CLI::App* const approve =
      Add(schemes, "approve", "Proves a scheme that somebody else has registered, and approves it.",
          &ApproveScheme, approve_);
  approve->add_option("SCHEME", approve_.scheme, "A file; or id@version or digest in the record.")
      ->required();
  approve->add_option("--reason", approve_.reason, "Why; kept in the record.");
  CLI::App* const diff = Add(schemes, "diff",
                             "Says what changes from one scheme to another; needs no service for "
                             "files without --round.",
                             &DiffSchemes, scheme_diff_);
  diff->add_option("OLD", scheme_diff_.before, "A file; or id@version or digest in the record.")
      ->required();
  diff->add_option("NEW", scheme_diff_.after, "The same.")->required();
  diff->add_option("--round", scheme_diff_.round, "Rates this round under both, too.");
  AddPatience(diff, scheme_diff_.retry_for_s);
}

}  // namespace starratings::starctl
