// What changed between two revisions: the fold of what was said in between, set
// against what was held before. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "starratings/evidence/v1/evidence.pb.h"

namespace starratings::starctl {

// What was said, and where it was taken from.
struct Statement {
  evidence::v1::RecordedItem said;
  evidence::v1::Source source;
};

// An item of which something was said in between. Two statements say the same
// if value and day of observation are the same, whatever their sources.
struct Change {
  enum class Kind {
    kAdded,        // There was none before.
    kChanged,      // It says something else.
    kWithdrawn,    // Taken back; also if it was added in between.
    kChangedBack,  // It said something else in between, and says the same now.
    kSaidAgain,    // It said the same all along.
  };
  Kind kind = Kind::kAdded;
  std::optional<Statement> before;
  Statement after;         // The last one.
  int64_t statements = 1;  // How often something was said of it.
};

class Diff {
 public:
  // A statement between the revisions, in the order of the log. One that comes
  // again, after a stream that broke, is passed over.
  void Said(Statement statement);

  // Of whom, and about what, something was said; each once, in the order of
  // their ids.
  std::vector<std::string> Organisations() const;
  std::vector<std::string> Codes() const;

  // What was held at the first revision; an item that nothing was said of is
  // passed over. After all of Said().
  void Held(Statement statement);

  // In the order of organisation, period, code and instance.
  std::vector<Change> Changes() const;

 private:
  struct Fold {
    std::optional<Statement> before;
    Statement after;
    int64_t statements = 1;
    bool varied = false;  // Not all statements said the same.
  };
  using Key = std::tuple<std::string, std::string, std::string, std::string>;

  static Key KeyOf(const evidence::v1::EvidenceItem& item);
  static Change::Kind KindOf(const Fold& fold);

  std::map<Key, Fold> folds_;
};

// `added`, `changed`, `withdrawn`, `changed back`, `said again`.
const char* NameOf(Change::Kind kind);

}  // namespace starratings::starctl
