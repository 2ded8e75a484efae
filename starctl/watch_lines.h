// What `starctl watch` and `starctl rounds watch` print of a revision.
#pragma once

#include <optional>
#include <string>

#include "starratings/assessment/v1/evidence_service.pb.h"
#include "starratings/assessment/v1/round_service.pb.h"

namespace starratings::starctl {

// Gathers the messages of a revision until it is whole: what is printed and the
// token that goes on after it never differ, wherever a stream breaks.
class WatchLines {
 public:
  // For programs, or for people.
  explicit WatchLines(bool json) : json_(json) {}

  // Returns the lines of a revision with its last message, before that nothing.
  // For people a message without items has no lines; for programs every message
  // is one line.
  std::optional<std::string> Take(const assessment::v1::WatchEvidenceResponse& message);
  // The same of rounds, which always come with a whole revision; always has a value.
  std::optional<std::string> Take(const assessment::v1::WatchRoundsResponse& message);

  // The stream broke: a revision that is not whole will come again.
  void Forget() { text_.clear(); }

 private:
  const bool json_;
  std::string text_;
};

}  // namespace starratings::starctl
