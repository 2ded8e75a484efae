// Sources are few and long: numbered where they are used, named beneath.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "starratings/evidence/v1/evidence.pb.h"

namespace starratings::starctl {

class Notes {
 public:
  // `[1]`; the same source has the same number. A source that somebody filled
  // in says so at the number as well.
  std::string MarkOf(const evidence::v1::Source& source);

  // A note for each number.
  std::string ToString() const;

 private:
  std::map<std::string, size_t> numbers_;
  std::vector<std::string> texts_;
};

}  // namespace starratings::starctl
