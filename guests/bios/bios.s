# The project's own BIOS: enough of a PC's firmware for boot sectors, boot loaders and real-mode programs.
# Written from the published interface (IBM Personal System/2 and Personal Computer BIOS Interface Technical
# Reference; ACPI 6.5, 15.1 for E820h; Phoenix Enhanced Disk Drive Specification 3.0), for a 386 or later.
#
# Everything that changes is in the BIOS data area (segment 40h); the ROM itself is read-only.

.intel_syntax noprefix
.code16

.include "frame.inc"
.include "post.inc"
.include "apic.inc"
.include "boot.inc"
.include "serial.inc"
.include "mirror.inc"
.include "video.inc"
.include "disk.inc"
.include "keyboard.inc"
.include "system.inc"
.include "move.inc"
.include "clock.inc"

  .section .reset, "ax"
  .byte 0xEA                      # JMP F000:post
  .word post, ROM_SEGMENT
  .ascii "11/21/26"               # F000:FFF5, where programs look for the date of the BIOS
  .byte 0
  .byte 0xFC                      # F000:FFFE, model byte: PC AT
  .byte 0
