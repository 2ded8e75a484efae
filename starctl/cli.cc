#include "starctl/cli.h"

#include <cstdio>
#include <string>

#include "starctl/command_line.h"

namespace starratings::starctl {
namespace {

constexpr char kStoreHelp[] = "sqlite:PATH or postgresql://USER@HOST/DATABASE.";

}  // namespace

CommandLine::CommandLine()
    : app_("Star Ratings: the record of evidence and the judge, from a terminal.") {
  app_.name("starctl");
  app_.set_help_all_flag("--help-all", "Help of every command.");
  app_.set_version_flag("--version", "starctl " STARRATINGS_VERSION);
  app_.require_subcommand(1);
  // So that `starctl rounds list --output json` works as well.
  app_.fallthrough();
  app_.failure_message([](const CLI::App* app, const CLI::Error& error) {
    const std::vector<std::string> unknown = app->remaining(true);
    const std::string what =
        unknown.empty() ? error.what() : "there is no command or flag `" + unknown.front() + "`";
    return "starctl: " + what + " (--help says more)\n";
  });
  app_.footer(
      "Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 bad file, 4 refused by a\n"
      "service, 5 a service cannot be reached, 6 the record is damaged.\n"
      "docs/starctl.md has the file formats.");
  AddGlobals();
  AddStore();
  AddRegister();
  AddImport();
  AddRounds();
  AddRoundActs();
  AddRating();
  AddAnalysis();
  AddSimulate();
  AddCompare();
  AddRoundFiles();
  AddReading();
  AddProvenance();
  AddWatch();
  AddSchemes();
}

void CommandLine::AddList(CLI::App* command, const std::string& flag,
                          std::vector<std::string>& values, const std::string& what) {
  command->add_option(flag, values, what)->allow_extra_args(false);
}

void CommandLine::AddInput(CLI::App* command, FileOptions& input) {
  command->add_option("FILE", input.file, "The file.")->required();
  command->add_option("--mapping", input.mapping,
                      "JSON file that says how a wide file is to be read.");
  AddList(command, "--constant", input.constants,
          "NAME=VALUE for what the file has no column for; over the mapping's. Repeatable.");
  AddList(command, "--where", input.where,
          "COLUMN=VALUE: only such rows; over the mapping's. Repeatable.");
}

void CommandLine::AddPatience(CLI::App* command, int& seconds) {
  command
      ->add_option("--retry-for", seconds,
                   "Seconds to go on trying while the service cannot be reached.")
      ->check(CLI::Range(0, 86'400))
      ->capture_default_str();
}

void CommandLine::AddGlobals() {
  app_.add_option("--assessment", globals_.assessment, "HOST:PORT of assessment-svc.")
      ->envname("STARRATINGS_ASSESSMENT");
  app_.add_option("--rating", globals_.rating, "HOST:PORT of rating-svc.")
      ->envname("STARRATINGS_RATING");
  app_.add_flag("--insecure", globals_.insecure, "Plaintext, for services on this machine.");
  app_.add_option("--tls-directory", globals_.tls_directory,
                  "Directory with tls.crt, tls.key and ca.crt.");
  app_.add_option("--actor", globals_.actor,
                  "Who acts, on plaintext; with TLS the certificate says so.");
  app_.add_option("--output", globals_.output, "table, or json for programs.")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  app_.add_option("--timeout", globals_.timeout_s, "Seconds that one call may take.")
      ->check(CLI::Range(1, 86'400))
      ->capture_default_str();
}

void CommandLine::AddStore() {
  CLI::App* const store = Group("store", "The database of assessment-svc.");
  CLI::App* const migrate =
      Add(store, "migrate", "Creates or upgrades its schema.", &MigrateStore, store_care_);
  migrate->add_option("--store", store_care_.store, kStoreHelp)->required();
  AddPasswordFile(migrate);
  AddStoreCare(store);
  CLI::App* const certs =
      Add(&app_, "dev-certs", "Makes a local authority and certificates, for trying things out.",
          &MakeDevCerts, dev_certs_);
  certs->add_option("DIRECTORY", dev_certs_.directory, "New or empty.")->required();
  AddList(certs, "--actor", dev_certs_.actors,
          "URI of somebody who gets a certificate; an analyst and a chief inspector if not "
          "given. Repeatable.");
  AddList(certs, "--host", dev_certs_.hosts, "Further DNS name of the services. Repeatable.");
}

void CommandLine::AddPasswordFile(CLI::App* command) {
  command->add_option("--password-file", store_care_.password_file,
                      "File that holds the database's password and nothing else.");
}

void CommandLine::AddStoreCare(CLI::App* store) {
  CLI::App* const fsck = Add(store, "fsck",
                             "Proves that the record is whole, or says what is wrong; also "
                             "while services write.",
                             &CheckStore, store_care_);
  fsck->add_option("--store", store_care_.store, kStoreHelp)->required();
  AddPasswordFile(fsck);
  fsck->add_flag("--repair-projection", store_care_.repair_projection,
                 "Makes again from the log what can be, if nothing else is wrong.");
  fsck->add_option("--faults", store_care_.faults, "Tells so many; counts the others.")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  CLI::App* const backup = Add(store, "backup", "Copies the record, also while services write.",
                               &BackUpStore, store_care_);
  backup->add_option("--store", store_care_.store, kStoreHelp)->required();
  AddPasswordFile(backup);
  backup->add_option("--to", store_care_.file, "The new file.")->required();
  backup->add_flag("--no-verify", store_care_.no_verify, "Does not check the copy.");
  CLI::App* const restore =
      Add(store, "restore", "Makes a record from a backup.", &RestoreStore, store_care_);
  restore->add_option("--from", store_care_.file, "The backup.")->required();
  restore
      ->add_option("--to", store_care_.store,
                   "Where: sqlite:PATH or postgresql://USER@HOST/DATABASE; new, or an empty "
                   "record.")
      ->required();
  AddPasswordFile(restore);
  CLI::App* const copy =
      Add(store, "copy", "Moves a record to another database, as it is; no service may run.",
          &CopyStore, store_care_);
  copy->add_option("--from", store_care_.from, kStoreHelp)->required();
  copy->add_option("--from-password-file", store_care_.from_password_file,
                   "File that holds the password of the database that is copied.");
  copy->add_option("--to", store_care_.store, "Where, as in `restore`.")->required();
  AddPasswordFile(copy);
}

void CommandLine::AddRegister() {
  CLI::App* const group = Group("register", "What evidence may be about, and schemes.");
  const std::pair<const char*, decltype(&RegisterCodes)> kinds[] = {
      {"organisations", &RegisterOrganisations},
      {"periods", &RegisterPeriods},
      {"codes", &RegisterCodes}};
  for (const auto& [name, function] : kinds) {
    CLI::App* const command = Add(
        group, name, std::string("Registers ") + name + " from a CSV file.", function, register_);
    AddInput(command, register_.input);
    command->add_option("--reason", register_.reason, "Why; kept in the record.");
    AddPatience(command, register_.retry_for_s);
  }
  CLI::App* const scheme =
      Add(group, "scheme", "Stores the text of a scheme.", &RegisterScheme, register_);
  scheme->add_option("FILE", register_.input.file, "scheme.textproto")->required();
  scheme->add_option("--reason", register_.reason, "Why; kept in the record.");
  AddPatience(scheme, register_.retry_for_s);
}

void CommandLine::AddImport() {
  CLI::App* const command =
      Add(&app_, "import", "Records evidence from a CSV file.", &ImportEvidence, import_);
  AddInput(command, import_.input);
  command->add_option("--reason", import_.reason,
                      "Why; required where a value is corrected. Kept in the record.");
  command->add_flag("--dry-run", import_.dry_run, "Checks everything and records nothing.");
  command->add_option("--batch", import_.batch, "Items in one revision, at most.")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  AddPatience(command, import_.retry_for_s);
}

void CommandLine::AddRounds() {
  rounds_ = Group("rounds", "Exercises of rating, from the plan to the publication.");
  CLI::App* const create = Add(rounds_, "create", "Opens a round.", &CreateRound, create_);
  create->add_option("ROUND", create_.round, "Its id, for example 2002-05.")->required();
  create->add_option("--title", create_.title, "What people call it.")->required();
  create->add_option("--period", create_.period, "The period of the evidence.")->required();
  create->add_option("--date", create_.date, "YYYY-MM-DD that it is judged at.")->required();
  create->add_option("--scheme", create_.scheme, "id@version.")->required();
  create->add_option("--kinds", create_.kinds, "Only organisations of these kinds: K,K,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  AddList(create, "--regions", create_.regions, "Only those of this region. Repeatable.");
  AddList(create, "--organisations", create_.organisations, "Only this organisation. Repeatable.");
  create->add_option("--refreshes", create_.refreshes, "The earlier round it rates again.");
  create->add_option("--reason", create_.reason, "Why; kept in the record.");
  CLI::App* const check =
      Add(rounds_, "check", "Says what the evidence lacks.", &CheckRound, check_);
  check->add_option("ROUND", check_.round, "Its id.")->required();
  check->add_flag("--all", check_.all, "Names every organisation that lacks something.");
  check->add_flag("--strict", check_.strict, "Exits 1 if anything is missing.");
  Add(rounds_, "show", "Shows a round and all acts on it.", &ShowRound, round_)
      ->add_option("ROUND", round_, "Its id.")
      ->required();
  rounds_->add_subcommand("list", "Lists the rounds, newest first.")->callback([this] {
    run_ = &ListRounds;
  });
}

template <typename Function>
CLI::App* CommandLine::AddAct(const std::string& name, const std::string& what, Function function) {
  CLI::App* const command = Add(rounds_, name, what, function, act_);
  command->add_option("ROUND", act_.round, "Its id.")->required();
  command->add_option("--etag", act_.etag, "The round as you saw it; as it is now if not given.");
  return command;
}

void CommandLine::AddRoundActs() {
  CLI::App* const freeze = AddAct(
      "freeze", "Binds a round to a revision, its scheme and its organisations.", &FreezeRound);
  freeze->add_option("--token", act_.token, "Of the revision to freeze; the newest if not given.");
  freeze->add_option("--reason", act_.reason, "Why; kept in the record.");
  AddAct("record", "Has rating-svc rate the round and record the ratings.", &RecordRound);
  CLI::App* const publish =
      AddAct("publish", "Makes the ratings public. Not by whoever froze the round.", &PublishRound);
  publish->add_option("--digest", act_.digest, "The round digest that you checked.");
  publish->add_flag("--yes", act_.yes, "Publish whatever is recorded.");
  publish->add_option("--reason", act_.reason, "Why; kept in the record.");
  AddAct("withdraw", "Calls a round off.", &WithdrawRound)
      ->add_option("--reason", act_.reason, "Why; kept in the record.")
      ->required();
}

void CommandLine::AddReading() {
  CLI::App* const ratings =
      Add(&app_, "ratings", "Shows what a round published.", &ShowRatings, ratings_);
  ratings->add_option("ROUND", ratings_.round, "Its id.")->required();
  ratings->add_option("--level", ratings_.level, "Only those rated so.");
  ratings->add_flag("--consequences", ratings_.consequences, "What follows for them.");
  ratings->add_flag("--summary", ratings_.summary, "Only the counts.");
  Add(&app_, "special-measures", "Shows who a round put on a list, kept there, or took off.",
      &ShowSpecialMeasures, round_)
      ->add_option("ROUND", round_, "Its id.")
      ->required();
  CLI::App* const dossier =
      Add(&app_, "dossier", "Shows the evidence on an organisation.", &ShowDossier, dossier_);
  dossier->add_option("ORGANISATION", dossier_.organisation, "Its id.")->required();
  dossier->add_option("--period", dossier_.period, "The period; the round's if not given.");
  dossier->add_option("--round", dossier_.round, "As this round froze it.");
  dossier->add_option("--token", dossier_.token, "At this revision.");
}

void CommandLine::AddProvenance() {
  CLI::App* const history =
      Add(&app_, "history", "Shows who said what when, and why.", &ShowHistory, history_);
  history->add_option("ORGANISATION", history_.organisation, "Its id.")->required();
  history->add_option("CODE", history_.code, "What the evidence is about.")->required();
  history->add_option("--period", history_.period, "Only this period.");
  history->add_option("--instance", history_.instance, "Only this instance.");
  CLI::App* const diff =
      Add(&app_, "diff", "Shows what changed between two revisions.", &ShowDiff, diff_);
  diff->add_option("--from", diff_.from,
                   "The earlier revision: a token, a number, or a time like "
                   "2002-05-30T12:00:00Z.")
      ->required();
  diff->add_option("--to", diff_.to, "The later one; the newest if not given.");
  AddFilter(diff, diff_);
}

void CommandLine::AddWatch() {
  CLI::App* const watch =
      Add(&app_, "watch", "Prints what is recorded, as it is recorded.", &WatchEvidence, watch_);
  AddWatched(watch);
  AddFilter(watch, watch_);
  CLI::App* const rounds =
      Add(rounds_, "watch", "Prints acts on rounds as they are recorded.", &WatchRounds, watch_);
  AddWatched(rounds);
  AddList(rounds, "--round", watch_.rounds, "Only of this one. Repeatable.");
}

void CommandLine::AddWatched(CLI::App* command) {
  command->add_option("--after", watch_.after,
                      "Token of the revision to begin after; from now on if not given.");
  command->add_option("--until", watch_.until, "Token of the revision to end after.");
  AddPatience(command, watch_.retry_for_s);
}

int Run(int argc, char** argv) {
  CommandLine line;
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version are exceptions, too, and no errors.
    return line.app().exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  }
  Session session(line.globals());
  const Outcome outcome = line.Run(session);
  if (outcome.ok()) return static_cast<int>(*outcome);
  std::fputs(Describe(outcome.status()).c_str(), stderr);
  return static_cast<int>(ExitCodeOf(outcome.status()));
}

}  // namespace starratings::starctl
