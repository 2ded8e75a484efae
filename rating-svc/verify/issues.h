// What is wrong with a text, and where. Internal to the room.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/text_format.h"
#include "rating-svc/verify/verify.h"

namespace starratings::verify {

// Where a part of a message stands in the text it was parsed from.
class Place {
 public:
  // The message as a whole. `tree` must outlive the place.
  Place(const google::protobuf::Descriptor* type,
        const google::protobuf::TextFormat::ParseInfoTree* tree)
      : Place(type, tree, 1) {}

  // A field, or the `index`-th of a repeated one. Where it is not in the text:
  // the message that should have it.
  Place In(const char* field, int index = -1) const;

  int line() const { return line_; }  // From 1.

 private:
  Place(const google::protobuf::Descriptor* type,
        const google::protobuf::TextFormat::ParseInfoTree* tree, int line)
      : type_(type), tree_(tree), line_(line) {}

  const google::protobuf::Descriptor* type_;
  const google::protobuf::TextFormat::ParseInfoTree* tree_;
  int line_;
};

// Gathers issues, so that an author can mend a text in one go.
class Issues {
 public:
  // More than these are counted, not kept: an answer has to fit a message.
  static constexpr size_t kKept = 200;

  void Add(absl::string_view code, absl::string_view rule_id, int line, absl::string_view message,
           std::string counterexample = "");

  bool empty() const { return issues_.empty(); }

  // Whether all that is wrong are rows that are missing or overlap.
  bool OnlyTables() const;

  // All of them by line; call once, last.
  std::vector<Issue> Take();

 private:
  std::vector<Issue> issues_;
  size_t dropped_ = 0;
};

}  // namespace starratings::verify
