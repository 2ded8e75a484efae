// What one request may ask for, of the whole process: the flags of main.cc lower it.
#pragma once

#include <cstddef>

#include "assessment-svc/intake/check_batch.h"

namespace starratings::service {

struct RequestLimits {
  // What the protos promise, and the most that a flag may say.
  static constexpr int kPageMost = 1'000;

  size_t batch_items = intake::kItemsMost;  // Items of a batch.
  size_t batch_bytes = intake::kRequestBytesMost;
  int page_size = kPageMost;  // Entries of a page.
};

const RequestLimits& CurrentRequestLimits();
// Call once, before anything is served.
void SetRequestLimits(const RequestLimits& limits);

}  // namespace starratings::service
