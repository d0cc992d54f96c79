// Words to make texts of.

type Words = readonly [string, ...string[]];

const split = (text: string): Words => text.split(' ') as [string, ...string[]];

export const english = split(
  'the of a to in and is that it for on with as was at by this from or be are which one have not they all we when ' +
    'connection message server client frame window payload header time value stream number system network data point ' +
    'between under after before while every other first second small large early late open closed green river mountain ' +
    'harbour lantern copper violet morning evening winter summer garden bridge market railway station engine signal ' +
    'measure balance distance pressure harvest orchard carriage compass horizon meadow thunder whisper feather marble',
);

export const german = split(
  'und der die das ich nicht ist ein zu in mit den sie so auf es wie von dem mir was er doch nur aus du noch ' +
    'wir bei für über schön könnte müde grün süß hören tönen Wälder Hügel Flüsse Brücke Mühle Träume Gärten ' +
    'Nacht Morgen Wind Wasser Feuer Stern Himmel Erde Vogel Wolke Regen Schatten Licht Stille Stimme Herz Hand ' +
    'wandern fragen bleiben suchen finden tragen halten fallen steigen sinken klingen brennen leuchten schweigen ' +
    'weit nah tief hoch alt jung still laut kalt warm dunkel hell bald immer wieder niemals endlich',
);

export const germanPrefixes = split('ge be ver ent er zer an auf aus vor hin ein um durch über nach');

export const germanEndings = split('e en er es t te st end ung lich heit los sam chen bar voll weise');
