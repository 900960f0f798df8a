# The BIOS, from a boot sector: each check calls a service and looks at what it answers. The disk is only written with what was
# just read from it.

.intel_syntax noprefix
.code16

.set BOOT_ADDRESS, 0x7C00
.set SECTORS, 8                   # of this image, the boot sector included
.set BUFFER, 0xA000
.set BUFFER2, 0xA400
.set SMAP, 0x534D4150

# check "name", condition code: the condition must hold.
.macro check name:req, condition:req
  j\condition .Lgood\@
  call failed
  jmp .Lname\@
.Lgood\@:
  call passed
.Lname\@:
  .pushsection .rodata
.Ltext\@:
  .asciz "\name"
  .popsection
  push offset .Ltext\@
  call print_name
.endm

  .text
.globl _start
_start:
  .byte 0xEA
  .word 1f, 0
1:
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, BOOT_ADDRESS
  sti
  cld
  mov [boot_drive], dl
  mov ax, 0x0200 | (SECTORS - 1)  # the rest of this image
  mov bx, BOOT_ADDRESS + 512
  mov cx, 2
  mov dh, 0
  int 0x13
  jc 2f
  jmp main
2:
  mov al, 1
  out 0xF4, al
  cli
  hlt

# Name on the stack: " name" and a new line.
print_name:
  pusha
  mov bp, sp
  mov si, [bp + 18]
  call print
  mov si, offset new_line
  call print
  popa
  ret 2

passed:
  pusha
  mov si, offset text_ok
  call print
  popa
  ret

failed:
  pusha
  push ds
  push 0
  pop ds
  inc byte ptr [failures]
  mov si, offset text_fail
  call print
  pop ds
  popa
  ret

print:
  mov al, cs:[si]
  inc si
  test al, al
  jz 1f
  mov ah, 0x0E
  mov bx, 7
  int 0x10
  jmp print
1:
  ret

text_ok: .asciz "OK "
text_fail: .asciz "FAIL "
text_passed: .asciz "all checks passed\r\n"
new_line: .asciz "\r\n"
boot_drive: .byte 0
failures: .byte 0

  .org 510
  .word 0xAA55

main:
  mov dl, [boot_drive]
  cmp dl, 0x80
  check "DL is the boot drive", e

  # BIOS data area.
  cmp word ptr [0x400], 0x3F8
  check "40:00 COM1", e
  int 0x12
  cmp ax, [0x413]
  check "INT 12h is 40:13", e
  cmp ax, 639
  check "INT 12h: 639 KiB", e
  int 0x11
  cmp ax, [0x410]
  check "INT 11h is 40:10", e
  mov ax, 0xF000
  mov es, ax
  cmp byte ptr es:[0xFFFE], 0xFC
  check "F000:FFFE model byte", e
  cmp byte ptr es:[0xFFF7], '/'
  check "F000:FFF5 date", e
  cmp byte ptr es:[0xFFF0], 0xEA
  check "F000:FFF0 far jump", e
  xor ax, ax
  mov es, ax

  # INT 10h.
  mov ah, 0x0F
  int 0x10
  cmp ax, 0x5003
  check "INT 10h 0Fh: mode 3, 80 columns", e
  mov ah, 3
  mov bh, 0
  int 0x10
  push dx
  mov dx, 0x1846                  # row 24, column 70
  mov ah, 2
  int 0x10
  mov ax, 0x0941                  # 'A'
  mov bx, 0x001E
  mov cx, 2
  int 0x10
  mov ah, 8
  int 0x10
  mov si, ax
  mov ah, 3
  int 0x10
  mov di, dx
  mov ax, 0xB800
  mov es, ax
  mov cx, es:[(24 * 80 + 71) * 2]
  xor ax, ax
  mov es, ax
  pop dx
  push cx
  mov ah, 2
  int 0x10
  pop cx
  cmp si, 0x1E41
  check "INT 10h 09h, 08h: what was written is read", e
  cmp cx, 0x1E41
  check "INT 10h 09h: CX characters, in B800", e
  cmp di, 0x1846
  check "INT 10h 02h, 03h: cursor", e
  # Scroll a window of two rows up by one.
  mov ax, 0xB800
  mov es, ax
  mov byte ptr es:[(11 * 80 + 60) * 2], 'x'
  mov byte ptr es:[(11 * 80 + 59) * 2], 'y'
  mov ax, 0x0601
  mov bh, 0x2F
  mov cx, (10 << 8) | 60
  mov dx, (11 << 8) | 61
  int 0x10
  mov si, es:[(10 * 80 + 60) * 2]
  mov di, es:[(11 * 80 + 60) * 2]
  mov cl, es:[(11 * 80 + 59) * 2]
  mov ax, 0x0701
  push cx
  mov bh, 0x2F
  mov cx, (10 << 8) | 60
  mov dx, (11 << 8) | 61
  int 0x10
  pop cx
  mov bp, es:[(11 * 80 + 60) * 2]
  xor ax, ax
  mov es, ax
  mov ax, si
  cmp al, 'x'
  check "INT 10h 06h: rows move up", e
  cmp di, 0x2F20
  check "INT 10h 06h: the new row is blank", e
  cmp cl, 'y'
  check "INT 10h 06h: outside the window nothing moves", e
  mov ax, bp
  cmp al, 'x'
  check "INT 10h 07h: rows move down", e
  mov ax, 0x1301                  # string, cursor moves
  mov bx, 0x0007
  mov cx, 10
  push ax
  push bx
  push cx
  mov ah, 3
  int 0x10
  pop cx
  pop bx
  pop ax
  mov bp, offset text_string
  push dx
  int 0x10
  mov ah, 3
  int 0x10
  pop cx
  sub dx, cx
  mov si, dx
  mov al, 13
  mov ah, 0x0E
  int 0x10
  mov al, 10
  int 0x10
  cmp si, 10
  check "INT 10h 13h: the cursor moved", e

  # INT 13h.
  mov ah, 8
  mov dl, 0x80
  int 0x13
  check "INT 13h 08h", nc
  mov al, cl
  and al, 63
  cmp al, 63
  check "INT 13h 08h: 63 sectors a track", e
  cmp dl, 1
  check "INT 13h 08h: one drive", e
  mov ah, 0x15
  mov dl, 0x80
  int 0x13
  cmp ah, 3
  check "INT 13h 15h: fixed disk", e
  mov ax, 0x0201
  mov bx, BUFFER
  mov cx, 3
  mov dx, 0x0080
  int 0x13
  check "INT 13h 02h", nc
  mov ah, 0x41
  mov bx, 0x55AA
  mov dl, 0x80
  int 0x13
  check "INT 13h 41h", nc
  cmp bx, 0xAA55
  check "INT 13h 41h: signature", e
  mov ah, 0x42
  mov dl, 0x80
  mov si, offset packet
  int 0x13
  check "INT 13h 42h", nc
  mov si, BUFFER
  mov di, BUFFER2
  mov cx, 256
  repe cmpsw
  check "INT 13h 42h and 02h read the same", e
  mov si, BUFFER
  mov di, BOOT_ADDRESS + 1024
  mov cx, 256
  repe cmpsw
  check "INT 13h 02h: what the boot sector loaded", e
  mov ax, 0x0301
  mov bx, BUFFER
  mov cx, 3
  mov dx, 0x0080
  int 0x13
  check "INT 13h 03h", nc
  mov ax, 0x0401
  mov cx, 3
  mov dx, 0x0080
  int 0x13
  check "INT 13h 04h", nc
  mov ah, 0x42
  mov dl, 0x80
  mov si, offset packet_far
  int 0x13
  check "INT 13h 42h past the end: refused", c
  mov ah, 1
  mov dl, 0x80
  int 0x13
  test ah, ah
  check "INT 13h 01h: status of the last one", nz
  mov ah, 0
  mov dl, 0x80
  int 0x13
  check "INT 13h 00h", nc
  mov word ptr [BUFFER], 26
  mov ah, 0x48
  mov dl, 0x80
  mov si, BUFFER
  int 0x13
  cmp word ptr [BUFFER + 24], 512
  check "INT 13h 48h: 512 bytes a sector", e
  cmp dword ptr [BUFFER + 16], SECTORS
  check "INT 13h 48h: sectors", ae
  mov ax, 0x0201
  mov bx, BUFFER
  mov cx, 0                       # there is no sector 0
  mov dx, 0x0080
  int 0x13
  check "INT 13h 02h sector 0: refused", c

  # INT 15h.
  mov ah, 0x88
  int 0x15
  check "INT 15h 88h", nc
  mov si, ax
  mov ax, 0xE801
  int 0x15
  check "INT 15h E801h", nc
  cmp ax, cx
  check "INT 15h E801h: AX = CX", e
  call memory_map
  check "INT 15h E820h: memory from 1 MiB on, no overlaps", nc
  mov ax, 0x2402
  int 0x15
  cmp al, 1
  check "INT 15h 2402h: A20 is on", e
  mov ax, 0xFFFF
  mov es, ax
  mov word ptr [0x600], 0x1234
  mov word ptr es:[0x610], 0x5678
  cmp word ptr [0x600], 0x1234
  check "A20 on: 1 MiB is not 0", e
  mov ax, 0x2400
  int 0x15
  mov word ptr es:[0x610], 0x5678 # FFFF:0610 is 100600h, or 600h
  mov si, [0x600]
  mov ax, 0x2401
  int 0x15
  cmp si, 0x5678
  check "INT 15h 2400h: A20 off, addresses wrap at 1 MiB", e
  xor ax, ax
  mov es, ax
  # 87h: to 2 MiB and back.
  mov dword ptr [BUFFER], 0x600DCAFE
  mov word ptr [move_table + 0x12], BUFFER
  mov byte ptr [move_table + 0x14], 0
  mov word ptr [move_table + 0x1A], 0
  mov byte ptr [move_table + 0x1C], 0x20
  call move
  check "INT 15h 87h", nc
  mov dword ptr [BUFFER2], 0
  mov word ptr [move_table + 0x12], 0
  mov byte ptr [move_table + 0x14], 0x20
  mov word ptr [move_table + 0x1A], BUFFER2
  mov byte ptr [move_table + 0x1C], 0
  call move
  cmp dword ptr [BUFFER2], 0x600DCAFE
  check "INT 15h 87h: there and back", e
  mov ah, 0x86
  mov cx, 0
  mov dx, 2000
  int 0x15
  check "INT 15h 86h", nc
  mov ah, 0xC0
  int 0x15
  cmp byte ptr es:[bx + 2], 0xFC
  check "INT 15h C0h: model", e
  xor ax, ax
  mov es, ax
  mov ah, 0x77
  int 0x15
  check "INT 15h: an unknown function", c

  # INT 16h.
  mov ah, 1
  int 0x16
  jz 2f
1:
  mov ah, 0
  int 0x16
  mov ah, 1
  int 0x16
  jnz 1b
2:
  mov cx, 0x1E61
  mov ah, 5
  int 0x16
  test al, al
  check "INT 16h 05h", z
  mov ah, 1
  int 0x16
  check "INT 16h 01h: a key waits", nz
  mov ah, 0
  int 0x16
  cmp ax, 0x1E61
  check "INT 16h 00h: the key", e
  mov ah, 1
  int 0x16
  check "INT 16h 01h: and is gone", z
  # A key through the controller: command D2h puts a byte into the output buffer as if the keyboard had sent it.
  mov al, 0xD2
  out 0x64, al
  mov al, 0x1F                    # S
  out 0x60, al
  mov cx, 2000
3:
  mov ah, 1
  int 0x16
  loopz 3b
  mov ah, 0
  jz 4f
  int 0x16
4:
  cmp ax, 0x1F73
  check "IRQ 1: scan code 1Fh is s", e

  # INT 1Ah, IRQ 0.
  mov ah, 2
  int 0x1A
  check "INT 1Ah 02h", nc
  cmp ch, 0x24
  check "INT 1Ah 02h: hours", b
  mov ah, 4
  int 0x1A
  cmp ch, 0x20
  check "INT 1Ah 04h: century", ae
  mov word ptr [0x1C * 4], offset user_tick
  mov word ptr [0x1C * 4 + 2], 0
  mov ah, 0
  int 0x1A
  mov si, dx
5:
  hlt
  mov ah, 0
  int 0x1A
  cmp dx, si
  je 5b
  sub dx, si
  cmp dx, 1
  check "INT 1Ah 00h: one more tick", e
  cmp byte ptr [user_ticks], 0
  check "INT 1Ch is called", ne
  mov ah, 3
  mov dx, 0
  int 0x14
  test ah, 0x20
  check "INT 14h 03h: transmitter is empty", nz

  mov al, 1
  cmp byte ptr [failures], 0
  jne 6f
  mov si, offset text_passed
  call print
  mov al, 0
6:
  out 0xF4, al
  cli
  hlt

user_tick:
  inc byte ptr cs:[user_ticks]
  iret

move:
  mov si, offset move_table
  mov cx, 2
  mov ah, 0x87
  int 0x15
  ret

# Walk the memory map; carry: something is wrong.
memory_map:
  xor ebx, ebx
  xor edx, edx
  mov dword ptr [map_end], 0
  mov byte ptr [map_good], 0
1:
  mov eax, 0xE820
  mov edx, SMAP
  mov ecx, 20
  mov di, BUFFER
  int 0x15
  jc 9f
  cmp eax, SMAP
  jne 9f
  mov eax, [BUFFER]
  cmp eax, [map_end]
  jb 9f
  cmp eax, 0x100000
  jne 2f
  cmp byte ptr [BUFFER + 16], 1
  jne 2f
  inc byte ptr [map_good]
2:
  add eax, [BUFFER + 8]
  mov [map_end], eax
  test ebx, ebx
  jnz 1b
  cmp byte ptr [map_good], 1
  jne 9f
  clc
  ret
9:
  stc
  ret

packet:
  .byte 16, 0
  .word 1, BUFFER2, 0
  .quad 2
packet_far:
  .byte 16, 0
  .word 1, BUFFER2, 0
  .quad 0x0FFFFFFF
map_end: .long 0
map_good: .byte 0
user_ticks: .byte 0
text_string: .ascii "0123456789"
  .balign 8
move_table:
  .skip 16
  .word 0xFFFF, 0                 # source
  .byte 0, 0x93, 0, 0
  .word 0xFFFF, 0                 # target
  .byte 0, 0x93, 0, 0
  .skip 16
