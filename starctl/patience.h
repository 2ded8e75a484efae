// What ends a call whose other side says nothing: a stream as a whole may take as
// long as it likes, but no step of it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"

namespace starratings::starctl {

class Patience {
 public:
  // Cancels `call`, which must outlive this, once a step takes longer than
  // `most`.
  Patience(grpc::ClientContext& call, absl::Duration most);
  ~Patience();
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  // Takes a step of the call: a write, a read, its end. One at a time.
  template <typename Step>
  auto Within(Step step) {
    Begin();
    auto result = step();
    End();
    return result;
  }

  // It has cancelled the call.
  bool IsOver() const;

 private:
  void Begin();
  void End();
  void Watch();

  grpc::ClientContext& call_;
  const absl::Duration most_;
  mutable std::mutex mutex_;  // Guards the rest.
  std::condition_variable changed_;
  absl::Time until_ = absl::InfiniteFuture();
  bool over_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace starratings::starctl
