export type CorpusName = 'json' | 'bitmap' | 'prose' | 'html' | 'pdf';
export const corpusSpecs: Record<CorpusName, { binary: boolean; words: string }> = {
  json: { binary: false, words: 'JSON' },
  bitmap: { binary: true, words: 'a bitmap' },
  prose: { binary: true, words: 'Latin-1 prose' },
  html: { binary: false, words: 'HTML' },
  pdf: { binary: true, words: 'a PDF' },
};
