// What the command line says, command by command. cli.cc fills these; the
// commands read them, and know nothing of flags.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace starratings::starctl {

struct GlobalOptions {
  std::string assessment;
  std::string rating;
  bool insecure = false;
  std::string tls_directory;
  std::string actor;
  std::string output = "table";
  int timeout_s = 120;
};

// How to read a file that is not in our columns.
struct FileOptions {
  std::string file;
  std::string mapping;                 // Empty: long form.
  std::vector<std::string> constants;  // NAME=VALUE
  std::vector<std::string> where;      // COLUMN=VALUE
};

struct RegisterOptions {
  FileOptions input;
  std::string reason;
  int retry_for_s = 30;
};

struct ImportOptions {
  FileOptions input;
  std::string reason;
  bool dry_run = false;
  int batch = 10'000;
  int retry_for_s = 30;
};

struct CreateRoundOptions {
  std::string round;
  std::string title;
  std::string period;
  std::string date;
  std::string scheme;
  std::vector<std::string> kinds;
  std::vector<std::string> regions;
  std::vector<std::string> organisations;
  std::string refreshes;
  std::string reason;
};

// An act on a round that is there.
struct RoundActOptions {
  std::string round;
  std::string etag;  // Empty: the round's as it is now.
  std::string reason;
  std::string token;   // Of a freeze.
  std::string digest;  // Of a publication.
  bool yes = false;    // Of a publication: whatever is recorded.
};

struct CheckRoundOptions {
  std::string round;
  bool all = false;     // Name every organisation.
  bool strict = false;  // Gaps are a no.
};

struct ApproveSchemeOptions {
  std::string scheme;  // A file; or id@version or digest in the record.
  std::string reason;
};

// Outside any round.
struct BySchemeOptions {
  std::string organisation;
  std::string round;
  std::string scheme;
  std::string period;
  std::string date;
  std::string token;
};

struct RateOptions {
  BySchemeOptions by;
  bool ratings = false;  // List them all.
  std::string shard;     // I/N; empty: the whole round.
  int retry_for_s = 30;
};

struct AddUpOptions {
  std::vector<std::string> files;
  std::string digest;  // That the round must have; empty: any.
};

struct SchemeDiffOptions {
  std::string before;  // A file, `id@version` or a digest.
  std::string after;
  std::string round;  // Empty: none.
  int retry_for_s = 30;
};

struct ExportRoundOptions {
  std::string round;
  std::string file;
  int retry_for_s = 30;
};

struct RecomputeOptions {
  std::string file;
  std::string digest;  // That the round must have; empty: any.
};

struct ImproveOptions {
  BySchemeOptions by;
  std::string result;  // Empty: every one.
  bool losses = false;
};

struct RobustnessOptions {
  BySchemeOptions by;
  std::string result;  // Empty: the first.
  bool observed = false;
  bool bounds = false;
};

struct SimulateOptions {
  BySchemeOptions by;
  std::vector<std::string> values;      // CODE=VALUE
  std::vector<std::string> missing;     // CODE=REASON
  std::vector<std::string> thresholds;  // RULE=NUMBER or RULE.INDEX=NUMBER; or a level
};

struct CompareOptions {
  std::string before;  // Rounds.
  std::string after;   // Empty: the same round.
  std::string before_scheme;
  std::string after_scheme;
  std::string before_token;
  std::string after_token;
};

struct RatingsOptions {
  std::string round;
  std::string level;
  bool consequences = false;
  bool summary = false;  // No table.
};

struct DossierOptions {
  std::string organisation;
  std::string period;
  std::string round;
  std::string token;
};

struct HistoryOptions {
  std::string organisation;
  std::string code;
  std::string period;                   // Empty: all of them.
  std::optional<std::string> instance;  // None: all of them.
};

struct DiffOptions {
  std::string from;
  std::string to;  // Empty: the newest.
  std::vector<std::string> organisations;
  std::string period;
  std::vector<std::string> codes;
};

// Of the two that watch.
struct WatchOptions {
  std::string after;                // Empty: from now on.
  std::string until;                // Empty: for ever.
  std::vector<std::string> rounds;  // Of rounds; the next three are of evidence.
  std::vector<std::string> organisations;
  std::string period;
  std::vector<std::string> codes;
  int retry_for_s = 30;
};

// Of fsck, backup and restore.
struct StoreOptions {
  std::string password_file;       // Of the database.
  std::string store;               // URI.
  std::string file;                // The backup.
  std::string from;                // URI of what is copied.
  std::string from_password_file;  // Of its database.
  bool no_verify = false;          // Of a backup.
  bool repair_projection = false;  // Of fsck.
  int faults = 100;                // Of fsck: told one by one.
};

struct DevCertsOptions {
  std::string directory;
  std::vector<std::string> actors;  // URIs; empty: an analyst and a chief inspector.
  std::vector<std::string> hosts;   // Further DNS names of the services.
};

}  // namespace starratings::starctl
