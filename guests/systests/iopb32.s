# The I/O permission bitmap of a 32-bit TSS.

.include "protected.inc"
.include "check.inc"
.include "iopb.inc"

main:
  iopb_tests
  call checks_done
