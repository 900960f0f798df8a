# A boot sector: what a PC runs first. The BIOS loads these 512 bytes to 0000:7C00 and jumps there in real mode, with the
# boot drive in DL; everything else it has to ask the BIOS for.

.intel_syntax noprefix
.code16

.set BOOT_ADDRESS, 0x7C00
.set SECOND_SECTOR, 0x7E00
.set MAP_BUFFER, 0x8000

  .text
.globl _start
_start:
  .byte 0xEA                      # JMP 0000:1f, so that CS is known: some BIOSes enter at 07C0:0000
  .word 1f, 0
1:
  xor ax, ax
  mov ds, ax
  mov es, ax
  cli
  mov ss, ax
  mov sp, BOOT_ADDRESS
  sti
  mov [boot_drive], dl

  mov si, offset text_hello
  call print

  # INT 12h: KiB of conventional memory.
  mov si, offset text_memory
  call print
  int 0x12
  call print_decimal
  mov si, offset text_kib
  call print

  # INT 13h, AH=02h: one sector from cylinder 0, head 0, sector 2 (sectors count from 1).
  mov ax, 0x0201
  mov bx, SECOND_SECTOR
  mov cx, 0x0002
  mov dh, 0
  mov dl, [boot_drive]
  int 0x13
  jc disk_error
  call SECOND_SECTOR

  # A byte to port F4h ends the run with that exit code.
exit:
  xor al, al
  out 0xF4, al
  cli
  hlt
disk_error:
  mov si, offset text_disk_error
  call print
  mov al, 1
  out 0xF4, al
  cli
  hlt

# SI -> NUL-terminated text; INT 10h, AH=0Eh prints one character and moves the cursor.
print:
  lodsb
  test al, al
  jz 1f
  mov ah, 0x0E
  mov bx, 0x0007
  int 0x10
  jmp print
1:
  ret

# AX in decimal.
print_decimal:
  mov bx, 10
  xor cx, cx
1:
  xor dx, dx
  div bx
  push dx
  inc cx
  test ax, ax
  jnz 1b
2:
  pop ax
  add al, '0'
  mov ah, 0x0E
  mov bx, 0x0007
  int 0x10
  loop 2b
  ret

boot_drive: .byte 0
text_hello: .asciz "Hello from a boot sector: 16-bit real mode.\r\n"
text_memory: .asciz "INT 12h: "
text_kib: .asciz " KiB of conventional memory\r\n"
text_disk_error: .asciz "INT 13h: the second sector cannot be read\r\n"

  .org 510
  .word 0xAA55


# ---- The second sector, at 0000:7E00 -----------------------------------------------------------------
  mov si, offset text_second
  call print

  # INT 15h, EAX=E820h: the memory map, entry by entry; EBX is 0 after the last.
  xor ebx, ebx
  xor bp, bp                      # entries
  mov byte ptr [high_memory], 0
2:
  mov eax, 0xE820
  mov edx, 0x534D4150             # 'SMAP'
  mov ecx, 20
  mov di, MAP_BUFFER
  int 0x15
  jc 4f
  cmp eax, 0x534D4150
  jne 4f
  inc bp
  cmp dword ptr [MAP_BUFFER], 0x100000
  jne 3f
  cmp dword ptr [MAP_BUFFER + 16], 1        # available memory
  jne 3f
  inc byte ptr [high_memory]
3:
  cmp bp, 100
  ja 4f
  test ebx, ebx
  jnz 2b
4:
  mov si, offset text_map_good
  cmp bp, 3
  jb 5f
  cmp byte ptr [high_memory], 1
  je 6f
5:
  mov si, offset text_map_bad
6:
  call print

  # The clock of INT 1Ah moves only if IRQ 0 arrives.
  mov ah, 0
  int 0x1A
  mov di, dx
7:
  hlt
  mov ah, 0
  int 0x1A
  cmp dx, di
  je 7b
  mov si, offset text_ticks
  call print
  ret

high_memory: .byte 0
text_second: .asciz "INT 13h: the second sector was read\r\n"
text_map_good: .asciz "INT 15h: the memory map has memory at 1 MiB\r\n"
text_map_bad: .asciz "INT 15h: no memory map\r\n"
text_ticks: .asciz "INT 1Ah: the timer ticks\r\n"

  .org 1024
