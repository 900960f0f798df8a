// What a run starts from: image, boot modules, disks and BIOS, read and checked before anything is built.

import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { BlockBackend } from '../devices/block-backend.js';
import {
  type ImageFile,
  type ImageKind,
  type Isa,
  type RecognizedImage,
  type RecognizeOptions,
  recognizeImage,
  unpackArm64Image,
} from '../loaders/index.js';
import type { PcBoot } from '../machine/pc-board.js';
import { TsvmError } from '../vcpu/vcpu.js';
import { DiskFile, ThrowAwayOverlay } from './disk-file.js';
import { InputFile, readOwn, readWhole } from './files.js';
import { KernelFile } from './kernel-file.js';
import { type DiskOption, parseDisk, quote } from './options.js';

export interface SourceOptions {
  readonly image?: string | undefined;
  readonly kernel?: string | undefined;
  readonly initrd: readonly string[];
  readonly append?: string | undefined;
  readonly disk: readonly string[];
  readonly bios?: string | undefined;
  readonly loadAddress?: number | undefined;
  /** Instruction set of the board that the user chose, if he did. */
  readonly isa?: Isa | undefined;
  /** Disk writes are thrown away at the end. */
  readonly snapshot: boolean;
  /** Bytes of guest RAM: no kernel or initrd can be larger. */
  readonly ramSize: number;
}

export interface GuestSource {
  readonly isa: Isa;
  readonly kind: ImageKind;
  readonly description: string;
  readonly boot: PcBoot;
  /** IDE disks. */
  readonly disks: readonly BlockBackend[];
  readonly virtioDisks: readonly BlockBackend[];
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

const OWN_BIOS = 'guests/bios/bios.bin';
/** Larger files are first recognized by their beginning: a disk image need not be read, a kernel only where it goes. */
const HEAD = 1 << 16;
const MAX_DISKS = 2;

/**
 * A file's bytes for loading: what was read for recognizing it serves the first time and is then let go. A kernel may
 * have 60 MB, and only a reset, which reads it again, wants it once more.
 */
class FileContents {
  constructor(
    private readonly what: string,
    private readonly path: string,
    private readonly limit: number,
    private read: Uint8Array | null,
    private readonly unpack: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
  ) {}

  get bytes(): Uint8Array {
    const bytes = this.read ?? this.unpack(readWhole(this.what, this.path, this.limit));
    this.read = null;
    return bytes;
  }
}

interface ReadImage {
  readonly contents: FileContents;
  /** The beginning of a disk image or of what `file` brings; empty for everything else that `contents` brings. */
  readonly head: Uint8Array;
  /** A large kernel that is read straight into guest memory. */
  readonly file?: ImageFile;
  readonly recognized: RecognizedImage;
}

/** An initrd or module; it must be readable now, so that its absence is found before the guest starts. */
function moduleOf(file: string, limit: number): { readonly bytes: Uint8Array; readonly commandLine: string } {
  const contents = new FileContents('initrd', file, limit, readWhole('initrd', file, limit));
  return {
    get bytes() {
      return contents.bytes;
    },
    commandLine: file,
  };
}

/** What the beginning of a file looks like; null where only the whole file can tell. */
function recognizeHead(bytes: Uint8Array, load: RecognizeOptions): RecognizedImage | null {
  try {
    return recognizeImage(bytes, load);
  } catch (error) {
    if (error instanceof TsvmError) return null;
    throw error;
  }
}

function gunzip(bytes: Uint8Array, limit: number): Uint8Array {
  return gunzipSync(bytes, { maxOutputLength: limit });
}

function recognizeFile(what: string, path: string, options: SourceOptions): ReadImage {
  const load = { loadAddress: options.loadAddress, isa: options.isa };
  const unpack = (bytes: Uint8Array) => unpackArm64Image(bytes, gunzip, options.ramSize);
  const file = InputFile.open(what, path);
  try {
    if (file.size > HEAD && options.loadAddress === undefined) {
      const bytes = file.head(HEAD);
      const recognized = recognizeHead(bytes, { ...load, size: file.size });
      const contents = new FileContents(what, path, options.ramSize, null);
      if (recognized?.kind === 'disk') return { contents, head: bytes, recognized };
      if (recognized?.kind === 'aarch64-image') {
        file.checkSize(options.ramSize);
        return { contents, head: bytes, recognized, file: new KernelFile(what, path, file.size) };
      }
    }
  } finally {
    file.close();
  }
  const bytes = unpack(readWhole(what, path, options.ramSize));
  const recognized = recognizeImage(bytes, load);
  const head = recognized.kind === 'disk' ? bytes : new Uint8Array(0);
  return { contents: new FileContents(what, path, options.ramSize, bytes, unpack), head, recognized };
}

function openDisk(
  path: string,
  readOnly: boolean,
  options: SourceOptions,
  notes: string[],
  isImage: boolean,
): BlockBackend {
  if (options.snapshot) return new ThrowAwayOverlay(DiskFile.open(path, true));
  const disk = DiskFile.open(path, readOnly, isImage);
  if (disk.readOnly && !readOnly) notes.push(`${quote(path)} may not be written: the guest sees a read-only disk.`);
  return disk;
}

/** A PC's disks are IDE disks unless the user says otherwise; the virt board has virtio only. */
function divideDisks(
  options: readonly DiskOption[],
  isa: Isa,
): { readonly ide: readonly DiskOption[]; readonly virtio: readonly DiskOption[] } {
  const usual = isa === 'aarch64' ? 'virtio' : 'ide';
  const ide = options.filter((d) => (d.interface ?? usual) === 'ide');
  if (isa === 'aarch64' && ide.length > 0) {
    throw new TsvmError('E_DISK_OPTION', `the virt board has no IDE for disk ${quote(ide[0].file)}. Leave if=ide out.`);
  }
  return { ide, virtio: options.filter((d) => (d.interface ?? usual) === 'virtio') };
}

/** Throws TsvmErrors that name the file. */
export function openGuestSource(options: SourceOptions): GuestSource {
  const { image, kernel } = options;
  const notes: string[] = [];
  if (image !== undefined && kernel !== undefined) {
    throw new TsvmError(
      'E_OPTION_CONFLICT',
      `both an image (${quote(image)}) and --kernel (${quote(kernel)}) are given. Give one of them; further disks go to --disk.`,
    );
  }
  const diskOptions = options.disk.map(parseDisk);
  // Only a PC has firmware that boots from a disk.
  const path = image ?? kernel ?? (options.isa === 'aarch64' ? undefined : diskOptions[0]?.file);
  if (path === undefined) {
    throw new TsvmError('E_NO_IMAGE', 'nothing to run. Give an image, --kernel or --disk; see tsvm run --help.');
  }
  const what = image !== undefined ? 'image' : kernel !== undefined ? 'kernel' : 'disk';
  const { contents, head, recognized, file } = recognizeFile(what, path, options);

  const bootsFromDisk = recognized.kind === 'disk';
  if (what === 'disk' && !bootsFromDisk) {
    throw new TsvmError(
      'E_DISK_BOOT',
      `disk ${quote(path)} is not bootable: it is ${recognized.description}. Give it as the image instead.`,
    );
  }
  if (options.bios !== undefined && !bootsFromDisk) {
    throw new TsvmError(
      'E_OPTION_CONFLICT',
      `--bios is for images that boot from disk, and ${quote(path)} is ${recognized.description}. Leave --bios out.`,
    );
  }

  const modules = options.initrd.map((file) => moduleOf(file, options.ramSize));
  const { ide, virtio } = divideDisks(diskOptions, recognized.isa);
  if (what === 'disk' && ide[0] !== diskOptions[0]) {
    throw new TsvmError('E_DISK_BOOT', `disk ${quote(path)} is a virtio disk, and the BIOS boots from IDE only.`);
  }
  const open = (d: DiskOption) => openDisk(d.file, d.readOnly, options, notes, false);
  const disks = ide.map(open);
  const virtioDisks = virtio.map(open);
  if (bootsFromDisk && what !== 'disk') disks.unshift(openDisk(path, false, options, notes, true));
  if (disks.length > MAX_DISKS) {
    throw new TsvmError(
      'E_DISK_COUNT',
      `${disks.length} IDE disks are given, and the board takes ${MAX_DISKS}. Leave some out, or attach them by if=virtio.`,
    );
  }

  // 256 KiB is the largest ROM, and the loader says so; this only bounds what is read.
  const bios =
    options.bios !== undefined
      ? readWhole('BIOS', options.bios, 1 << 24)
      : bootsFromDisk
        ? readOwn(OWN_BIOS)
        : undefined;
  return {
    isa: recognized.isa,
    kind: recognized.kind,
    description: recognized.description,
    disks,
    virtioDisks,
    notes,
    boot: {
      // Of a disk, its first sectors, of a large kernel the beginning; they stay.
      get image() {
        return bootsFromDisk || file ? head : contents.bytes;
      },
      bios,
      load: {
        commandLine: options.append,
        modules,
        imageName: basename(path),
        loadAddress: options.loadAddress,
        file,
      },
    },
  };
}
