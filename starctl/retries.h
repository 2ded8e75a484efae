// How long a command goes on trying.
#pragma once

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace starratings::starctl {

class Retries {
 public:
  explicit Retries(absl::Duration most);

  // Something got through: it begins anew.
  void GotOn();

  // Waits a while, longer each time; false at once if `error` will not go away,
  // or if it has lasted too long.
  bool Outlasts(const absl::Status& error);

 private:
  const absl::Duration most_;
  absl::Time end_;
  absl::Duration wait_;
};

}  // namespace starratings::starctl
